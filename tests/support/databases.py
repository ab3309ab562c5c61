"""Fresh, migrated databases for tests: SQLite files, and PostgreSQL where a server answers."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from receiver.store import migrate
from receiver.store.database import Database
from receiver.store.models import Base

POSTGRES = os.environ.get("RECEIVER_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/")
"""A server on which the tests may create databases of their own."""

BACKENDS = ("sqlite", "postgresql")


@contextmanager
def fresh_database_url(backend: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a migrated, empty database that nobody else uses."""
    if backend == "sqlite":
        path = folder / "receiver.db"
        shutil.copyfile(_sqlite_template(), path)
        yield f"sqlite:///{path}"
        return
    require_postgres()
    name = f"receiver_test_{uuid.uuid4().hex}"
    _administer("CREATE DATABASE {} TEMPLATE {}", name, _postgres_template())
    try:
        yield _postgres_url(name)
    finally:
        _administer("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def empty_database_url(backend: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database without a table in it."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'empty.db'}"
        return
    require_postgres()
    name = f"receiver_test_{uuid.uuid4().hex}"
    _administer("CREATE DATABASE {}", name)
    try:
        yield _postgres_url(name)
    finally:
        _administer("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep everybody else from writing, so that their writing transactions time out."""
    database = Database(url, timeout_seconds=5)
    with database.begin_writing() as connection:
        if connection.dialect.name == "postgresql":
            tables = ", ".join(Base.metadata.tables)
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        yield
    database.close()


def refuse_rows(database: Database, table: str, *, where: str) -> None:
    """Make the database refuse to insert certain rows, for a reason that nobody foresaw.

    ``where`` is an SQL condition on ``NEW``; what the database says holds the word ``secret``.
    """
    function = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a secret value'; END $$"
    )
    trigger = f"CREATE TRIGGER bad BEFORE INSERT ON {table} FOR EACH ROW WHEN ({where})"
    with database.begin_writing() as connection:
        if connection.dialect.name == "sqlite":
            refusal = "BEGIN SELECT RAISE(ABORT, 'a secret value'); END"
            connection.exec_driver_sql(f"{trigger} {refusal}")
            return
        connection.exec_driver_sql(function)
        connection.exec_driver_sql(f"{trigger} EXECUTE FUNCTION refuse()")


def require_postgres() -> None:
    """Skip the test, visibly, on a machine without PostgreSQL; fail it where all is required."""
    reason = _why_no_postgres()
    if reason is None:
        return
    if os.environ.get("RECEIVER_TEST_REQUIRE") == "all":
        pytest.fail(f"PostgreSQL is required and does not answer: {reason}")
    pytest.skip(f"PostgreSQL does not answer at RECEIVER_TEST_POSTGRES_URL: {reason}")


@functools.cache
def _why_no_postgres() -> str | None:
    try:
        psycopg.connect(POSTGRES, connect_timeout=3, dbname="postgres").close()
    except psycopg.Error as error:
        return str(error)
    return None


@functools.cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="receiver-test-")) / "template.db"
    database = Database(f"sqlite:///{path}", timeout_seconds=5)
    migrate.upgrade(database)
    database.close()
    return path


@functools.cache
def _postgres_template() -> str:
    # One for each process of the test run: a template cannot be copied while somebody uses it.
    name = f"receiver_template_{uuid.uuid4().hex}"
    _administer("CREATE DATABASE {}", name)
    database = Database(_postgres_url(name), timeout_seconds=5)
    migrate.upgrade(database)
    database.close()
    return name


def drop_template() -> None:
    """Drop this process's template, if it made one."""
    if _postgres_template.cache_info().currsize:
        _administer("DROP DATABASE {} WITH (FORCE)", _postgres_template())


def _postgres_url(name: str) -> str:
    return f"{POSTGRES.rstrip('/')}/{name}".replace("postgresql://", "postgresql+psycopg://")


def _administer(statement: str, *names: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, dbname="postgres") as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
