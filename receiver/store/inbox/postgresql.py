"""Write notifications into PostgreSQL."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format

from receiver.store.binary_arrays import binary_array, type_name
from receiver.store.database import Database, DatabaseAway
from receiver.store.inbox.rows import (
    COLUMNS,
    COUNT_REPEAT,
    INSERT,
    NewNotification,
    Token,
    of_different_tokens,
)
from receiver.store.models import Notification

_TYPES = [Notification.__table__.c[name].type for name in NewNotification._fields]
_ARRAYS = ", ".join(f"${n}::{type_name(kind)}[]" for n, kind in enumerate(_TYPES, start=1))
_INSERT = INSERT.format(new=f"unnest({_ARRAYS}) AS new ({COLUMNS})")
_COUNT_REPEAT = COUNT_REPEAT.format("%s")
_NAME = b"keep_notifications"
_FATAL = (b"FATAL", b"PANIC")


class PostgresqlWriter:
    """Writes all rows by one prepared statement, which is a transaction of its own.

    Its arrays go in PostgreSQL's binary form: to let the driver write them as text took a third of
    the time. The driver is asked without waiting, for it would wait without an end.
    """

    def __init__(self, database: Database) -> None:
        self._timeout_seconds = database.timeout_seconds
        self._connection = database.own_connection()
        try:
            self._connection.pgconn.send_prepare(_NAME, _INSERT.encode())
            self._result()
        except BaseException:
            self.close()
            raise

    @property
    def is_broken(self) -> bool:
        return bool(self._connection.closed)

    def write(self, rows: Sequence[NewNotification]) -> None:
        for some in of_different_tokens(rows):
            self._write(some)

    def _write(self, rows: Mapping[Token, NewNotification]) -> None:
        columns = zip(*rows.values(), strict=True)
        arrays = list(map(binary_array, _TYPES, columns))
        self._connection.pgconn.send_query_prepared(_NAME, arrays, [Format.BINARY] * len(arrays))
        inserted = self._result()
        if inserted.ntuples < len(rows):
            kept = {
                (int(inserted.get_value(number, 0)), int(inserted.get_value(number, 1)))
                for number in range(inserted.ntuples)
            }
            for token in rows.keys() - kept:
                if self._connection.execute(_COUNT_REPEAT, token).rowcount == 0:
                    raise DatabaseAway("The rows of a token were removed in this very moment.")

    def _result(self) -> Any:
        """Wait for what the server says of the statement that it was sent."""
        pgconn = self._connection.pgconn
        until = time.monotonic() + self._timeout_seconds
        while pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT, until=until)
            pgconn.consume_input()
        while pgconn.is_busy():
            self._wait(select.POLLIN, until=until)
            pgconn.consume_input()
        result = pgconn.get_result()
        while pgconn.get_result() is not None:
            pass
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            if result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED) in _FATAL:
                self.close()
            raise error_from_result(result)
        return result

    def _wait(self, events: int, *, until: float) -> None:
        poll = select.poll()
        poll.register(self._connection.pgconn.socket, events)
        if not poll.poll(max(0, until - time.monotonic()) * 1000):
            self.close()
            raise DatabaseAway("The database did not answer in time.")

    def close(self) -> None:
        self._connection.close()
