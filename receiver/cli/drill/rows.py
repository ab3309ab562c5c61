"""Read what is in SQL with the databases' own drivers, past all of the receiver's code."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from receiver.cli.drill.audit import Rows, SetRow, parse_result

_SETS = "SELECT id, facebook_id, state, name FROM request_set ORDER BY id"
_REQUESTS = "SELECT request_set_id, id, status, result FROM request"
_NOTIFICATIONS = "SELECT request_set_id, attempt, 1 + repeats FROM notification"


def read_rows(database_url: str) -> Rows:
    """Read all that an audit compares."""
    requests: dict[int, dict[str, tuple[str, Any]]] = defaultdict(dict)
    for request_set_id, number, status, result in _select(database_url, _REQUESTS):
        requests[request_set_id][str(number)] = (status, parse_result(result))
    notifications: Counter[tuple[int, int]] = Counter()
    for request_set_id, attempt, count in _select(database_url, _NOTIFICATIONS):
        notifications[request_set_id, attempt] += count
    return Rows(
        sets=[SetRow(*row) for row in _select(database_url, _SETS)],
        requests=requests,
        notifications=notifications,
    )


def refuse_used(database_url: str) -> None:
    """Refuse a database that holds sets already: a drill breaks what it runs on."""
    missing, any_error = _errors(database_url)
    try:
        is_used = any(True for _ in _select(database_url, f"{_SETS} LIMIT 1"))
    except missing:
        return
    except any_error as error:
        raise click.ClickException("The database cannot be reached: check --database-url.") from (
            error
        )
    if is_used:
        raise click.ClickException("The database holds sets: give the drill an empty one.")


def _errors(database_url: str) -> tuple[type[Exception], type[Exception]]:
    """What the driver raises for a table that is not there, and for whatever else goes wrong."""
    if database_url.startswith("sqlite:///"):
        return sqlite3.OperationalError, sqlite3.Error
    import psycopg  # noqa: PLC0415  # it is installed only where PostgreSQL is used

    return psycopg.errors.UndefinedTable, psycopg.Error


def _select(database_url: str, statement: str) -> Iterator[Sequence[Any]]:
    if database_url.startswith("sqlite:///"):
        path = database_url.removeprefix("sqlite:///")
        if not Path(path).exists():
            return
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            yield from connection.execute(statement).fetchall()
        return
    import psycopg  # noqa: PLC0415  # as above

    plain = database_url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(plain, autocommit=True) as postgres:
        yield from postgres.execute(statement.encode()).fetchall()
