"""The peer of ``benchmarks.collect``: a program with the official SDK, in a process of its own.

It reads each set once to see that it is complete, then its requests with ``limit=500``, and writes
each page by one ``executemany`` of the database's own driver, with a commit. Its table has the
columns of the receiver's and its primary key, and no other index.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import psycopg
from facebook_business.adobjects.adasyncrequest import AdAsyncRequest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet

from benchmarks.official_sdk import sdk_at

_PAGE = 500
_FIELDS = [
    "id",
    "scope_object_id",
    "status",
    "type",
    "result",
    "input",
    "created_time",
    "updated_time",
]
_TABLE = (
    "CREATE TABLE peer_request (id BIGINT PRIMARY KEY, request_set_id BIGINT, account_id BIGINT, "
    "scope_object_id BIGINT, status TEXT, is_final BOOLEAN, type TEXT, result BYTEA, input BYTEA, "
    "created_object_id BIGINT, error_code BIGINT, error_message TEXT, created_time TEXT, "
    "updated_time TEXT, read_at TIMESTAMP)"
)
_INSERT = f"INSERT INTO peer_request VALUES ({', '.join(['%s'] * 15)})"  # noqa: S608  # no value in it


@dataclass(frozen=True)
class Read:
    """What the peer read, and what it took."""

    rows: int
    cpu_seconds: float
    seconds: float


class Peer:
    """The peer's process. ``open`` tells it where Facebook is, ``read`` lets it work."""

    def __init__(self, database_url: str) -> None:
        here, there = get_context("spawn").Pipe()
        self._pipe = here
        self._process = get_context("spawn").Process(target=_work, args=(there, database_url))
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send(None)
        self._process.join()

    def open(self, url: str) -> None:
        self._pipe.send(url)

    def read(self, set_ids: Sequence[int]) -> Read:
        self._pipe.send(list(set_ids))
        read: Read = self._pipe.recv()
        return read


def _work(pipe: Connection, database_url: str) -> None:
    url = pipe.recv()
    if url is None:
        return
    api = sdk_at(url)
    store = _Store(database_url)
    while (set_ids := pipe.recv()) is not None:
        began, cpu_began = time.monotonic(), _cpu_seconds()
        rows = sum(_read_set(AdAsyncRequestSet(str(one), api=api), store) for one in set_ids)
        pipe.send(Read(rows, _cpu_seconds() - cpu_began, time.monotonic() - began))
    store.close()


def _read_set(request_set: AdAsyncRequestSet, store: _Store) -> int:
    if not request_set.api_get(fields=["is_completed"])["is_completed"]:
        raise ValueError("The set is not complete")
    found = request_set.get_requests(fields=_FIELDS, params={"limit": _PAGE})
    rows = 0
    for page in _pages(iter(found)):
        read_at = datetime.now(UTC)
        set_id = int(request_set["id"])
        store.write([_row(one, set_id=set_id, read_at=read_at) for one in page])
        rows += len(page)
    return rows


def _pages(found: Iterator[AdAsyncRequest]) -> Iterator[list[AdAsyncRequest]]:
    while page := list(islice(found, _PAGE)):
        yield page


def _row(request: AdAsyncRequest, *, set_id: int, read_at: datetime) -> tuple[Any, ...]:
    result = request.get("result") or {}
    return (
        int(request["id"]),
        set_id,
        None,
        request.get("scope_object_id") and int(request["scope_object_id"]),
        request["status"],
        request["status"] not in ("INITIAL", "IN_PROGRESS", "PENDING_DEPENDENCY"),
        request.get("type"),
        json.dumps(result).encode(),
        json.dumps(request.get("input")).encode(),
        result.get("id") and int(result["id"]),
        result.get("error_code"),
        result.get("error_message"),
        request.get("created_time"),
        request.get("updated_time"),
        read_at,
    )


class _Store:
    """The database's own driver, at the durability that the receiver has."""

    def __init__(self, url: str) -> None:
        self._connection: Any
        self._insert = _INSERT
        if url.startswith("sqlite:///"):
            self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._insert = _INSERT.replace("%s", "?")
        else:
            self._connection = psycopg.connect(url)
        self._connection.execute(_TABLE)
        self._connection.commit()

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        cursor = self._connection.cursor()
        cursor.executemany(self._insert, rows)
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
