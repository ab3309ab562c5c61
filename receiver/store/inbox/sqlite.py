"""Write notifications into SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from receiver.store.database import Database
from receiver.store.inbox.rows import COUNT_REPEAT, INSERT, IS_FREE, NewNotification

_PLACES = ", ".join("?" for _ in NewNotification._fields)
_INSERT = f"{INSERT.format(values=_PLACES)} WHERE {IS_FREE.format('?', '?')}"
_COUNT_REPEAT = COUNT_REPEAT.format("?", "?")


class SqliteWriter:
    """Writes row by row within one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pooled = database.own_connection()

    def write(self, rows: Sequence[NewNotification]) -> None:
        connection: Any = self._pooled.dbapi_connection
        with self._database.sqlite_turn(connection):
            for row in rows:
                values = [*map(_as_stored, row), *row.token]
                if connection.execute(_INSERT, values).rowcount == 0:
                    connection.execute(_COUNT_REPEAT, row.token)

    @property
    def is_broken(self) -> bool:
        """A file does not go away."""
        return False

    def close(self) -> None:
        self._pooled.invalidate()


def _as_stored(value: Any) -> Any:
    """Write a moment as ``UTCDateTime`` does, and anything else as it is."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return value
