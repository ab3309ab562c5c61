"""Write notifications into PostgreSQL."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from psycopg import OperationalError
from psycopg.errors import InvalidSqlStatementName, ReadOnlySqlTransaction, error_from_result
from psycopg.pq import ExecStatus, Format

from receiver.store.binary_arrays import binary_array, type_name
from receiver.store.database import Database, DatabaseAway
from receiver.store.inbox.rows import (
    COLUMNS,
    COUNT_REPEATS,
    INSERT,
    NewNotification,
    Token,
    write_by_token,
)
from receiver.store.models import Notification

_TYPES = [Notification.__table__.c[name].type for name in NewNotification._fields]
_ARRAYS = ", ".join(f"${n}::{type_name(kind)}[]" for n, kind in enumerate(_TYPES, start=1))
_INSERT = INSERT.format(new=f"unnest({_ARRAYS}) AS new ({COLUMNS})")
_COUNT_REPEATS = COUNT_REPEATS.format("$1", "$2", "$3").encode()
_NAME = b"keep_notifications"
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_OUTLIVED = (InvalidSqlStatementName, ReadOnlySqlTransaction)
"""What is said on a connection that a pooler cleared, or whose server is a standby since."""


class PostgresqlWriter:
    """Writes all rows by one prepared statement, which is a transaction of its own.

    Its arrays go in PostgreSQL's binary form: to let the driver write them as text took a third of
    the time. The driver is asked without waiting, for it would wait without an end.
    """

    def __init__(self, database: Database) -> None:
        self._timeout_seconds = database.timeout_seconds
        self._connection = database.own_connection()
        try:
            self._prepare()
        except Exception:
            self.close()
            raise

    def _prepare(self) -> None:
        pgconn = self._connection.pgconn
        pgconn.send_query(f"SET statement_timeout = {int(self._timeout_seconds * 1000)}".encode())
        self._result()
        pgconn.send_prepare(_NAME, _INSERT.encode())
        self._result()

    @property
    def is_broken(self) -> bool:
        return bool(self._connection.closed)

    def write(self, rows: Sequence[NewNotification]) -> None:
        write_by_token(rows, insert=self._insert, count_repeats=self._count_repeats)

    def _insert(self, rows: Mapping[Token, NewNotification]) -> set[Token]:
        columns = zip(*rows.values(), strict=True)
        arrays = list(map(binary_array, _TYPES, columns))
        self._connection.pgconn.send_query_prepared(_NAME, arrays, [Format.BINARY] * len(arrays))
        return _tokens(self._result())

    def _count_repeats(self, token: Token, count: int) -> None:
        parameters = [str(number).encode() for number in (count, *token)]
        self._connection.pgconn.send_query_params(_COUNT_REPEATS, parameters)
        if self._result().command_tuples == 0:
            raise DatabaseAway("The rows of a token were removed in this very moment.")

    def _result(self) -> Any:
        """Wait until the server has done the statement that it was sent.

        It says what it inserted before it commits that: an error in the commit is a second result.
        """
        until = time.monotonic() + self._timeout_seconds
        self._send_all(until=until)
        results = list(iter(lambda: self._next_result(until=until), None))
        for result in results:
            if result.status not in _DONE:
                self._refuse(error_from_result(result))
        return results[0]

    def _send_all(self, *, until: float) -> None:
        pgconn = self._connection.pgconn
        while pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT, until=until)
            pgconn.consume_input()

    def _next_result(self, *, until: float) -> Any:
        """Wait for one more result; None once the server is ready for the next statement."""
        pgconn = self._connection.pgconn
        while pgconn.is_busy():
            self._wait(select.POLLIN, until=until)
            pgconn.consume_input()
        return pgconn.get_result()

    def _refuse(self, error: Exception) -> NoReturn:
        if isinstance(error, _OUTLIVED):
            self.close()
            raise OperationalError(str(error)) from error
        raise error

    def _wait(self, events: int, *, until: float) -> None:
        poll = select.poll()
        poll.register(self._connection.pgconn.socket, events)
        if not poll.poll(max(0, until - time.monotonic()) * 1000):
            self.close()
            raise DatabaseAway("The database did not answer in time.")

    def close(self) -> None:
        self._connection.close()


def _tokens(inserted: Any) -> set[Token]:
    return {
        (int(inserted.get_value(number, 0)), int(inserted.get_value(number, 1)))
        for number in range(inserted.ntuples)
    }
