"""Which way to upsert request rows costs the least: our process's CPU time, and the time it takes.

Each candidate writes pages of new rows into the migrated table, one transaction a page, and then
the same pages once more, which changes nothing. Which one was taken, and why, stands in
``docs/decisions/042-bulk-upsert.md``.
"""

from __future__ import annotations

import json
import struct
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import click
import orjson
import psycopg
from sqlalchemy import Connection, insert
from sqlalchemy.dialects import postgresql, sqlite

from benchmarks.databases import BACKENDS, new_database
from receiver.store.database import Database
from receiver.store.models import Account, Credential, Request, RequestSet
from receiver.store.request_rows import moving_forward

Row = tuple[Any, ...]
Candidate = Callable[[Connection, Sequence[Row]], None]

_NAMES = [column.name for column in Request.__table__.columns]
_COLUMNS = ", ".join(_NAMES)
_ACCOUNT = 1
_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@click.command()
@click.option("--rows", default=20_000, show_default=True, help="Rows a round.")
@click.option("--page", default=1_000, show_default=True, help="Rows a transaction.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of each candidate.")
def main(*, rows: int, page: int, rounds: int) -> None:
    """Write the same rows in every way, each in turn, on SQLite and on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="receiver-bench-") as folder:
        for backend in BACKENDS:
            with new_database(backend, Path(folder), label="upserts") as url:
                _measure_all(url, rows=rows, page=page, rounds=rounds)


def _measure_all(url: str, *, rows: int, page: int, rounds: int) -> None:
    database = Database(url, timeout_seconds=30)
    _add_set(database)
    numbers = count(1)
    candidates = _SQLITE if database.engine.dialect.name == "sqlite" else _POSTGRESQL
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            new = [_row(next(numbers)) for _ in range(rows)]
            pages = [new[start : start + page] for start in range(0, rows, page)]
            cpu, wall = _timed(database, candidate, pages)
            _, again = _timed(database, candidate, pages)
            taken[name].append((cpu, wall, again))
    database.close()
    for name, costs in taken.items():
        cpu, wall, again = (1_000_000 * median(each) / rows for each in zip(*costs, strict=True))
        click.echo(
            f"{database.engine.dialect.name:10} {name:36} {cpu:7.1f} ms CPU, {wall:7.1f} ms, "
            f"{again:7.1f} ms again, a thousand rows"
        )


def _timed(
    database: Database, candidate: Candidate, pages: Sequence[Sequence[Row]]
) -> tuple[float, float]:
    cpu_began, began = time.process_time(), time.monotonic()
    for page in pages:
        with database.begin_writing() as connection:
            candidate(connection, page)
    return time.process_time() - cpu_began, time.monotonic() - began


def _add_set(database: Database) -> None:
    values = {"sealed_token": b"x", "created_at": _NOW}
    with database.begin_writing() as connection:
        connection.execute(insert(Credential).values(id=1, **values))
        connection.execute(
            insert(Account).values(id=_ACCOUNT, credential_id=1, created_at=_NOW, score_version=0)
        )
        connection.execute(
            insert(RequestSet).values(
                id=1,
                account_id=_ACCOUNT,
                name="measured",
                ad_specs=b"[]",
                spec_count=0,
                caller_notification_mode="OFF",
                created_at=_NOW,
                state="completed",
                attempt=1,
                is_completed=True,
                verdict="none",
                quiet_looks=0,
            )
        )


def _row(number: int) -> Row:
    """A row as Facebook gives it, in the order of the columns."""
    own_id = 120_000_000_000_000_000 + number
    spec = {
        "name": f"Spring 2026, shoes, women, 25-34, variant {number}",
        "adset_id": "23842000000000000",
        "creative": {"creative_id": "23843000000000000"},
        "status": "PAUSED",
        "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": ["1184216"]}],
    }
    failed = number % 10 == 0
    result: Mapping[str, Any] = (
        {"error_code": 1487, "error_message": "The ad was refused."}
        if failed
        else {"id": str(own_id + 1)}
    )
    values: dict[str, Any] = {
        "id": own_id,
        "request_set_id": 1,
        "account_id": _ACCOUNT,
        "scope_object_id": 23_842_000_000_000_000,
        "status": "ERROR" if failed else "SUCCESS",
        "is_final": True,
        "type": "ASYNC_ADGROUP_CREATION",
        "result": json.dumps(result).encode(),
        "input": json.dumps({"adgroup_spec": spec}).encode(),
        "created_object_id": None if failed else own_id + 1,
        "error_code": 1487 if failed else None,
        "error_message": "The ad was refused." if failed else None,
        "created_time": "2026-03-01T12:00:00+0000",
        "updated_time": "2026-03-01T12:00:01+0000",
        "read_at": _NOW,
    }
    return tuple(values[name] for name in _NAMES)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _core(connection: Connection, rows: Sequence[Row]) -> None:
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = moving_forward(dialect.insert(Request))
    connection.execute(statement, [dict(zip(_NAMES, row, strict=True)) for row in rows])


def _ending(dialect: Any) -> str:
    """What follows the rows in the statement, with the table's own conditions."""
    compiled = str(moving_forward(dialect.insert(Request)).compile(dialect=dialect.dialect()))
    return compiled[compiled.index("ON CONFLICT") :]


_SQLITE_ENDING = _ending(sqlite)
_POSTGRESQL_ENDING = _ending(postgresql)
_MARKS = ", ".join("?" * len(_NAMES))
_SQLITE_TIME = f"{_NOW:%Y-%m-%d %H:%M:%S.%f}"
_SQLITE_INSERT = f"INSERT INTO request ({_COLUMNS}) VALUES ({_MARKS}) {_SQLITE_ENDING}"  # noqa: S608  # made of our own columns


def _of_sqlite(row: Row) -> Row:
    return (*row[:-1], _SQLITE_TIME)


def _sqlite_executemany(connection: Connection, rows: Sequence[Row]) -> None:
    _driver(connection).executemany(_SQLITE_INSERT, map(_of_sqlite, rows))


def _sqlite_values(connection: Connection, rows: Sequence[Row]) -> None:
    most = 32_766 // len(_NAMES)
    for start in range(0, len(rows), most):
        some = rows[start : start + most]
        marks = ", ".join([f"({_MARKS})"] * len(some))
        statement = f"INSERT INTO request ({_COLUMNS}) VALUES {marks} {_SQLITE_ENDING}"  # noqa: S608  # made of our own columns
        _driver(connection).execute(statement, [value for row in some for value in _of_sqlite(row)])


def _sqlite_blocks(connection: Connection, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), 50):
        _sqlite_values(connection, rows[start : start + 50])


def _sqlite_json(connection: Connection, rows: Sequence[Row]) -> None:
    shown = ", ".join(
        f"CAST(value ->> {number} AS BLOB)" if name in _BYTES else f"value ->> {number}"
        for number, name in enumerate(_NAMES)
    )
    statement = (
        f"INSERT INTO request ({_COLUMNS}) SELECT {shown} FROM json_each(?) WHERE true "  # noqa: S608  # made of our own columns
        f"{_SQLITE_ENDING}"
    )
    texts = orjson.dumps([[_decoded(value) for value in _of_sqlite(row)] for row in rows])
    _driver(connection).execute(statement, [texts.decode()])


_BYTES = ("result", "input")


def _decoded(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _psycopg_executemany(connection: Connection, rows: Sequence[Row]) -> None:
    marks = ", ".join(["%s"] * len(_NAMES))
    with _driver(connection).cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO request ({_COLUMNS}) VALUES ({marks}) {_POSTGRESQL_ENDING}",  # noqa: S608  # made of our own columns
            rows,
        )


_TYPES = {
    column.name: column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's
    for column in Request.__table__.columns
}
_UNNEST = (
    f"INSERT INTO request ({_COLUMNS}) SELECT * FROM unnest("  # noqa: S608  # made of our own columns
    f"{', '.join(f'%s::{kind}[]' for kind in _TYPES.values())}) {_POSTGRESQL_ENDING}"
)


def _psycopg_unnest(connection: Connection, rows: Sequence[Row]) -> None:
    with _driver(connection).cursor() as cursor:
        cursor.execute(_UNNEST, [list(column) for column in zip(*rows, strict=True)])


_OIDS = {
    "BIGINT": 20,
    "VARCHAR": 1043,
    "BOOLEAN": 16,
    "BYTEA": 17,
    "TIMESTAMP WITH TIME ZONE": 1184,
}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = struct.pack("!i", -1)


def _binary_arrays(connection: Connection, rows: Sequence[Row]) -> None:
    parameters = [
        _binary_array(_TYPES[name], column)
        for name, column in zip(_NAMES, zip(*rows, strict=True), strict=True)
    ]
    places = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES.values(), 1))
    statement = (
        f"INSERT INTO request ({_COLUMNS}) SELECT * FROM unnest({places}) {_POSTGRESQL_ENDING}"  # noqa: S608  # made of our own columns
    )
    result = _driver(connection).pgconn.exec_params(
        statement.encode(), parameters, param_formats=[1] * len(parameters)
    )
    if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise ValueError(result.error_message)


def _binary_array(kind: str, values: Sequence[Any]) -> bytes:
    pack: dict[str, Callable[[Any], bytes]] = {
        "BIGINT": _pack_integer,
        "VARCHAR": _pack_text,
        "BOOLEAN": lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0",
        "BYTEA": _pack_bytes,
        "TIMESTAMP WITH TIME ZONE": _pack_time,
    }
    one = pack[kind]
    parts = [_NULL if value is None else one(value) for value in values]
    return struct.pack("!iiIii", 1, 1, _OIDS[kind], len(values), 1) + b"".join(parts)


_integer = struct.Struct("!iq").pack
_length = struct.Struct("!i").pack


def _pack_integer(value: int) -> bytes:
    return _integer(8, value)


def _pack_text(value: str) -> bytes:
    return _pack_bytes(value.encode())


def _pack_bytes(value: bytes) -> bytes:
    return _length(len(value)) + value


def _pack_time(value: datetime) -> bytes:
    return _integer(8, int((value - _EPOCH).total_seconds() * 1_000_000))


_JSON_COLUMNS = ", ".join(
    f"{name} {'TEXT' if name in _BYTES else kind}" for name, kind in _TYPES.items()
)
_JSON_SHOWN = ", ".join(
    f"convert_to({name}, 'UTF8')" if name in _BYTES else name for name in _NAMES
)


def _json_records(connection: Connection, rows: Sequence[Row]) -> None:
    texts = orjson.dumps(
        [{name: _decoded(value) for name, value in zip(_NAMES, row, strict=True)} for row in rows]
    )
    with _driver(connection).cursor() as cursor:
        cursor.execute(
            f"INSERT INTO request ({_COLUMNS}) SELECT {_JSON_SHOWN} FROM "  # noqa: S608  # made of our own columns
            f"json_to_recordset(%s::json) AS shown({_JSON_COLUMNS}) {_POSTGRESQL_ENDING}",
            [texts.decode()],
        )


def _copied(connection: Connection, rows: Sequence[Row]) -> None:
    with _driver(connection).cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (LIKE request) ON COMMIT DROP")
        with cursor.copy(f"COPY copied ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        _insert_copied(cursor)


def _insert_copied(cursor: Any) -> None:
    cursor.execute(
        f"INSERT INTO request ({_COLUMNS}) SELECT {_COLUMNS} FROM copied {_POSTGRESQL_ENDING}"  # noqa: S608  # made of our own columns
    )


_SQLITE: Mapping[str, Candidate] = {
    "SQLAlchemy Core": _core,
    "driver's executemany": _sqlite_executemany,
    "VALUES of many rows": _sqlite_values,
    "VALUES of fifty rows": _sqlite_blocks,
    "json_each": _sqlite_json,
}
_POSTGRESQL: Mapping[str, Candidate] = {
    "SQLAlchemy Core": _core,
    "psycopg's executemany": _psycopg_executemany,
    "unnest, arrays by psycopg": _psycopg_unnest,
    "unnest, arrays packed by us": _binary_arrays,
    "json_to_recordset, orjson": _json_records,
    "COPY into a temporary table": _copied,
}

if __name__ == "__main__":
    main()
