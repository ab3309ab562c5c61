"""The views that notifications are measured against: one does nothing, one makes one INSERT.

gunicorn imports them: ``benchmarks.peers.flask_views:doing_nothing()``.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask, request

_BUSY_SECONDS = 5.0

COLUMNS = {
    "sqlite": "id INTEGER PRIMARY KEY, at REAL, ip TEXT, headers TEXT, body BLOB",
    "postgresql": "id BIGSERIAL PRIMARY KEY, at FLOAT8, ip TEXT, headers TEXT, body BYTEA",
}
"""Those of the table ``received``, which the view with the INSERT fills."""

Row = tuple[float, str, str, bytes]


def doing_nothing() -> Flask:
    """Answer 200 to whatever comes, once its body is read."""
    app = Flask(__name__)

    @app.post("/notifications/<token>")
    def receive(token: str) -> str:  # noqa: ARG001  # the rule has it
        request.get_data()
        return "OK"

    return app


def inserting(url: str) -> Flask:
    """Answer 200 once a row is committed, by the driver alone and a connection for each thread."""
    app = Flask(__name__)
    insert = _sqlite_insert(url) if url.startswith("sqlite") else _postgresql_insert(url)

    @app.post("/notifications/<token>")
    def receive(token: str) -> str:  # noqa: ARG001  # the rule has it
        headers = json.dumps(list(request.headers.items()))
        insert((time.time(), request.remote_addr or "", headers, request.get_data()))
        return "OK"

    return app


def _sqlite_insert(url: str) -> Callable[[Row], object]:
    path = url.removeprefix("sqlite:///")
    held = threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(held, "connection"):
            held.connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            held.connection.execute("PRAGMA journal_mode=WAL")
            held.connection.execute("PRAGMA synchronous=FULL")
        mine: sqlite3.Connection = held.connection
        return mine

    statement = "INSERT INTO received (at, ip, headers, body) VALUES (?, ?, ?, ?)"
    return lambda row: connection().execute(statement, row)


def _postgresql_insert(url: str) -> Callable[[Row], object]:
    held = threading.local()

    def connection() -> psycopg.Connection[Any]:
        if not hasattr(held, "connection"):
            held.connection = psycopg.connect(url, autocommit=True)
        mine: psycopg.Connection[Any] = held.connection
        return mine

    statement = "INSERT INTO received (at, ip, headers, body) VALUES (%s, %s, %s, %s)"
    return lambda row: connection().execute(statement, row)
