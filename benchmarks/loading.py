"""Load many rows into a table as fast as its database takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import Connection, text

from receiver.store.types import sqlite_text

Row = tuple[Any, ...]

_ROWS_A_BLOCK = 2_000


class Loader(Protocol):
    """Takes the rows of a table; their order is that of the columns."""

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None: ...


def loader_of(connection: Connection) -> Loader:
    """Return what loads into the database of a connection, within its transaction."""
    if connection.dialect.name == "sqlite":
        return _SqliteLoader(connection)
    # The rows fit together: to look each of them up again would take as long as to load them.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    return _PostgresLoader(connection)


class _PostgresLoader:
    """Writes the text format of COPY itself, which is twice as fast as to let the driver."""

    def __init__(self, connection: Connection) -> None:
        self._driver: Any = connection.connection.driver_connection

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        left = iter(rows)
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        if not columns:
            return
        with self._driver.cursor() as cursor, cursor.copy(statement) as copy:
            while block := list(islice(left, _ROWS_A_BLOCK)):
                copy.write("\n".join(map(_line, block)) + "\n")


def _line(row: Row) -> str:
    return "\t".join([_AS_TEXT[type(value)](value) for value in row])


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: r"\N",
    bool: str,
    int: str,
    # None of the texts of a population holds what COPY would want escaped.
    str: str,
    bytes: lambda value: r"\\x" + value.hex(),
    datetime: datetime.isoformat,
}


class _SqliteLoader:
    def __init__(self, connection: Connection) -> None:
        self._driver: Any = connection.connection.driver_connection

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        if not columns:
            return
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  # made of our own tables' names
        self._driver.executemany(statement, map(_as_stored, rows))


def _as_stored(row: Row) -> Row:
    """Write moments as the receiver's own type does."""
    return tuple(sqlite_text(value) if isinstance(value, datetime) else value for value in row)
