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
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine, text

from receiver.store import database as store_database
from receiver.store import migrate
from receiver.store.database import Database
from receiver.store.models import Base
from tests.support.programs import lacking

POSTGRES = os.environ.get("RECEIVER_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/")
"""A server on which the tests may create databases of their own."""

BACKENDS = ("sqlite", "postgresql")

_REFUSE = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a secret value'; END $$"
)


@contextmanager
def fresh_database_url(backend: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a migrated, empty database that nobody else uses."""
    if backend == "sqlite":
        path = folder / "receiver.db"
        shutil.copyfile(_sqlite_template(), path)
        yield f"sqlite:///{path}"
        return
    require_postgres()
    name = _spare.pop() if _spare else _migrated_database()
    try:
        yield _postgres_url(name)
    finally:
        _empty(name)
        _spare.append(name)


_spare: list[str] = []
"""Databases of this process that are empty again: to make one takes longer than most tests."""


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
    trigger = f"CREATE TRIGGER bad BEFORE INSERT ON {table} FOR EACH ROW WHEN ({where})"
    with database.begin_writing() as connection:
        if connection.dialect.name == "sqlite":
            refusal = "BEGIN SELECT RAISE(ABORT, 'a secret value'); END"
            connection.exec_driver_sql(f"{trigger} {refusal}")
            return
        connection.exec_driver_sql(_REFUSE)
        connection.exec_driver_sql(f"{trigger} EXECUTE FUNCTION refuse()")


def refuse_commits(database: Database, table: str) -> None:
    """Make PostgreSQL refuse a transaction that inserted a row, at its end only."""
    with database.begin_writing() as connection:
        connection.exec_driver_sql(_REFUSE)
        connection.exec_driver_sql(
            f"CREATE CONSTRAINT TRIGGER bad AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
        )


def require_postgres() -> None:
    """Skip the test, visibly, on a machine without PostgreSQL; fail it where all is required."""
    reason = _why_no_postgres()
    if reason is not None:
        lacking(f"PostgreSQL does not answer at RECEIVER_TEST_POSTGRES_URL: {reason}")


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


def _migrated_database() -> str:
    name = f"receiver_test_{uuid.uuid4().hex}"
    _administer("CREATE DATABASE {}", name)
    database = Database(_postgres_url(name), timeout_seconds=5)
    migrate.upgrade(database)
    database.close()
    return name


def _empty(name: str) -> None:
    """Make a database as it was when it was new: no row, no number used, nobody connected."""
    with psycopg.connect(POSTGRES, autocommit=True, dbname=name) as connection:
        # A process that a test killed may still have a transaction under way.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP FUNCTION IF EXISTS refuse() CASCADE")
        with connection.transaction():
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
            connection.execute(
                "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
            )
            connection.execute("UPDATE alembic_version SET version_num = %s", [_newest_revision()])


@functools.cache
def _newest_revision() -> str:
    database = Database(f"sqlite:///{_sqlite_template()}", timeout_seconds=5)
    with database.engine.connect() as connection:
        revision: str = connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
    database.close()
    return revision


def compile_statements_once() -> None:
    """Let the engines of this process share what SQLAlchemy compiles: every test has its own.

    Without that, a third of the suite's time goes into compiling the same statements again.
    """
    make_engine = store_database._engine

    def sharing(url: URL, **limits: Any) -> Engine:
        engine = make_engine(url, **limits)
        first = _first_engine(engine.dialect.name)
        if first is not None:
            # What is compiled is kept for a dialect object, and by its engine.
            engine.dialect = engine.pool._dialect = first.dialect
            engine._compiled_cache = first._compiled_cache
        return engine

    store_database._engine = sharing


@functools.cache
def _first_engine(backend: str) -> Engine | None:
    """An engine whose dialect has learned from a connection what it has to know of the server."""
    if backend == "postgresql" and _why_no_postgres() is not None:
        return None
    engine = create_engine("sqlite://" if backend == "sqlite" else _postgres_url("postgres"))
    engine.connect().close()
    engine.dispose()
    return engine


def drop_databases() -> None:
    """Drop what this process made."""
    while _spare:
        _administer("DROP DATABASE {} WITH (FORCE)", _spare.pop())


def _postgres_url(name: str) -> str:
    return f"{POSTGRES.rstrip('/')}/{name}".replace("postgresql://", "postgresql+psycopg://")


def _administer(statement: str, *names: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, dbname="postgres") as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
