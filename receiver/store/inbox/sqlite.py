"""Write notifications into SQLite."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from receiver.store.database import Database
from receiver.store.inbox.rows import (
    COLUMNS,
    COUNT_REPEATS,
    INSERT,
    NewNotification,
    Token,
    write_by_token,
)
from receiver.store.types import sqlite_text

_ROW = ", ".join("?" for _ in NewNotification._fields)
_COUNT_REPEATS = COUNT_REPEATS.format("?", "?", "?")


class SqliteWriter:
    """Writes all rows in one transaction, by as few statements as there can be.

    Each call of SQLite lets another thread run meanwhile, while other processes wait for its lock.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.own_connection()

    @property
    def is_broken(self) -> bool:
        """A file does not go away."""
        return False

    def write(self, rows: Sequence[NewNotification]) -> None:
        with self._database.sqlite_turn(self._connection):
            write_by_token(rows, insert=self._insert, count_repeats=self._count_repeats)

    def _insert(self, rows: Mapping[Token, NewNotification]) -> set[Token]:
        values = [_as_stored(value) for row in rows.values() for value in row]
        return set(self._connection.execute(_insert(len(rows)), values).fetchall())

    def _count_repeats(self, token: Token, count: int) -> None:
        self._connection.execute(_COUNT_REPEATS, (count, *token))

    def close(self) -> None:
        self._connection.close()


@functools.cache
def _insert(count: int) -> str:
    values = ", ".join([f"({_ROW})"] * count)
    return f"WITH new ({COLUMNS}) AS (VALUES {values}) {INSERT.format(new='new')}"


def _as_stored(value: Any) -> Any:
    return sqlite_text(value) if isinstance(value, datetime) else value
