"""The PostgreSQL server on which the benchmarks make databases of their own."""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from receiver.store import migrate
from receiver.store.database import Database

SERVER = os.environ.get("RECEIVER_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/")
"""The tests' own server, by the same name: one on this machine unless told otherwise."""

_CONNECT_SECONDS = 3


class NoPostgreSQL(Exception):
    """No server answers where the benchmarks may make databases."""


@functools.cache
def version() -> str:
    """Return the server's version. Raises NoPostgreSQL."""
    try:
        with psycopg.connect(
            SERVER, dbname="postgres", connect_timeout=_CONNECT_SECONDS
        ) as connection:
            return connection.info.parameter_status("server_version") or "unknown"
    except psycopg.Error as error:
        raise _not_there(error) from error


@contextmanager
def new_database(label: str, *, server: str = SERVER) -> Iterator[str]:
    """Yield the URL of an empty, migrated database, which goes with the block.

    Raises NoPostgreSQL.
    """
    name = f"receiver_bench_{label}_{uuid.uuid4().hex[:8]}"
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    _administer(url, f"CREATE DATABASE {name}")
    try:
        with closing(Database(_text(url), timeout_seconds=60)) as database:
            migrate.upgrade(database)
        yield _text(url)
    finally:
        _administer(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except OperationalError as error:
        raise _not_there(error.orig) from error
    finally:
        engine.dispose()


def _not_there(error: BaseException | None) -> NoPostgreSQL:
    reason = str(error).strip().split("\n", 1)[0]
    return NoPostgreSQL(f"no PostgreSQL answers ({reason})")
