"""The engine, and the two kinds of transaction: reading and writing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

_POOL_SIZE = 20
_STATEMENT_TIMEOUT_SECONDS = 60
_WAL_PAUSE_SECONDS = 0.02


__all__ = ["Database", "DatabaseAway", "Session", "translated"]


class DatabaseAway(Exception):
    """The database cannot be reached, is locked, or does not answer in time."""


class Database:
    """Transactions on one database. Make it after a fork: connections must not cross one."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        """Open nothing yet: the first transaction connects.

        ``timeout_seconds`` bounds the wait for a connection and for a lock.
        """
        self.engine = _engine(make_url(url), timeout_seconds=timeout_seconds)
        self._writer = self.engine.execution_options(begins="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that never blocks on a writer. Raises DatabaseAway."""
        with translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def probing(self, *, timeout_seconds: float) -> Iterator[Session]:
        """A reading transaction whose every statement ends in that time. Raises DatabaseAway.

        SQLite knows no such limit, and its reads wait for nobody.
        """
        with self.reading() as session:
            if self.engine.dialect.name == "postgresql":
                milliseconds = int(timeout_seconds * 1000)
                session.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block. Raises DatabaseAway.

        On SQLite it takes the write lock at once: a deferred transaction that reads before it
        writes fails immediately under WAL, whatever its time-out.
        """
        with (
            translated(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def begin_writing(self) -> Iterator[Connection]:
        """A writing transaction without a session, for migrations."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's ways of saying that the database is away into DatabaseAway."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise DatabaseAway(_first_line(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseAway(_first_line(error)) from error
        raise


def _first_line(error: Exception) -> str:
    # Only the driver's own sentence: SQLAlchemy's text shows the statement's parameters.
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n", 1)[0]


def _engine(url: URL, *, timeout_seconds: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=_POOL_SIZE,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            hide_parameters=True,
            connect_args={"timeout": timeout_seconds, "check_same_thread": False},
        )
        event.listen(engine, "connect", partial(_prepare_sqlite, timeout_seconds=timeout_seconds))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=timeout_seconds,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_postgresql_arguments(timeout_seconds),
    )


def _postgresql_arguments(timeout_seconds: float) -> dict[str, Any]:
    milliseconds = int(timeout_seconds * 1000)
    return {
        "connect_timeout": max(2, int(timeout_seconds)),
        # A server that vanished without a word must not hold a thread for the kernel's 15 minutes.
        "tcp_user_timeout": milliseconds,
        "options": (
            f"-c lock_timeout={milliseconds} -c statement_timeout={_STATEMENT_TIMEOUT_SECONDS}s "
            f"-c idle_in_transaction_session_timeout={_STATEMENT_TIMEOUT_SECONDS}s"
        ),
    }


def _prepare_sqlite(connection: Any, _record: object, *, timeout_seconds: float) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    # Its own knows ASCII only, and a search for a text in any case is made with it.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    _use_wal(cursor, timeout_seconds=timeout_seconds)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _use_wal(cursor: Any, *, timeout_seconds: float) -> None:
    """Turn the write-ahead log on, which a new file has to be told once.

    Of several processes that open a new file at the same moment all but one may be told at once
    that it is locked: SQLite asks no busy handler here.
    """
    until = time.monotonic() + timeout_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= until:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("begins", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")
