"""The engine, and the two kinds of transaction: reading and writing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from receiver.store import binary_arrays

POOL_SIZE = 20
_STATEMENT_TIMEOUT_SECONDS = 60
_WAL_PAUSE_SECONDS = 0.02
_LOCK_PAUSE_SECONDS = 0.001


__all__ = ["Database", "DatabaseAway", "Session", "translated"]


class DatabaseAway(Exception):
    """The database cannot be reached, is locked, or does not answer in time."""


class Database:
    """Transactions on one database. Make it after a fork: connections must not cross one."""

    def __init__(self, url: str, *, timeout_seconds: float, pool_size: int = POOL_SIZE) -> None:
        """Open nothing yet: the first transaction connects.

        ``timeout_seconds`` bounds the wait for a connection and for a lock; ``pool_size`` is how
        many connections there are at the most.
        """
        self.timeout_seconds = timeout_seconds
        self.engine = _engine(make_url(url), timeout_seconds=timeout_seconds, pool_size=pool_size)
        self._writer = self.engine.execution_options(begins="IMMEDIATE")
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writing = threading.Lock()

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
            if not self.is_sqlite:
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
            self._turn(),
            translated(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On SQLite, let one thread of this process at a time ask for the lock to write."""
        if not self.is_sqlite:
            yield
        elif self._writing.acquire(timeout=self.timeout_seconds):
            try:
                yield
            finally:
                self._writing.release()
        else:
            raise DatabaseAway("Other threads of this process write for too long.")

    @contextmanager
    def sqlite_turn(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A writing transaction on a connection of one's own to SQLite. Raises DatabaseAway."""
        with self._turn():
            _begin_immediate(connection, timeout_seconds=self.timeout_seconds)
            with connection:
                yield

    @contextmanager
    def begin_writing(self) -> Iterator[Connection]:
        """A writing transaction without a session, for migrations."""
        with self._writer.begin() as connection:
            yield connection

    @property
    def driver(self) -> Any:
        """The driver's module, whose errors its own connections raise."""
        return self.engine.dialect.loaded_dbapi

    def own_connection(self) -> Any:
        """Open a connection of the driver's own outside the pool, for who writes all the time.

        On PostgreSQL each of its statements is a transaction. Raises DatabaseAway and what the
        driver raises.
        """
        # A new one: one of the pool's may be a while in coming, and is asked without a time-out
        # whether it still lives.
        with translated():
            pooled = self.engine.pool.recreate().connect()
        connection: Any = pooled.dbapi_connection
        pooled.detach()
        if not self.is_sqlite:
            connection.autocommit = True
        return connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's ways of saying that the database is away into DatabaseAway."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if is_away(error):
            raise DatabaseAway(first_line(error)) from error
        raise


def is_away(error: Exception) -> bool:
    """Tell whether the database is away, and not what was written at fault."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # psycopg calls a value that no index takes operational, too: SQLSTATE's class 54.
    is_too_large = str(getattr(getattr(error, "orig", None), "sqlstate", "")).startswith("54")
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout)) and not is_too_large


def first_line(error: Exception) -> str:
    """Return what a driver says of an error, without what was written."""
    # Only the driver's own sentence: SQLAlchemy's text shows the statement's parameters.
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n", 1)[0]


def _engine(url: URL, *, timeout_seconds: float, pool_size: int) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            hide_parameters=True,
            connect_args={"timeout": timeout_seconds, "check_same_thread": False},
        )
        event.listen(engine, "connect", partial(_prepare_sqlite, timeout_seconds=timeout_seconds))
        event.listen(engine, "begin", partial(_begin_sqlite, timeout_seconds=timeout_seconds))
        return engine
    binary_arrays.register()
    return create_engine(
        url,
        pool_size=pool_size,
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
    _execute_in_time(
        cursor,
        "PRAGMA journal_mode=WAL",
        timeout_seconds=timeout_seconds,
        pause_seconds=_WAL_PAUSE_SECONDS,
    )


def _execute_in_time(
    connection: Any, statement: str, *, timeout_seconds: float, pause_seconds: float
) -> None:
    """Try a statement again while others have what it needs; raise its error once time is over.

    Any other error, as of a disk that is full or read-only, does not pass: it is raised at once.
    """
    until = time.monotonic() + timeout_seconds
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if not _passes(error) or time.monotonic() >= until:
                raise
            time.sleep(pause_seconds)
        else:
            return


def _passes(error: sqlite3.OperationalError) -> bool:
    """Tell whether SQLite refuses a statement only for as long as others hold a lock."""
    # The kinds of being busy, as that of a snapshot, differ in the bits above.
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _begin_sqlite(connection: Connection, *, timeout_seconds: float) -> None:
    if connection.get_execution_options().get("begins") == "IMMEDIATE":
        driver_connection: Any = connection.connection.driver_connection
        _begin_immediate(driver_connection, timeout_seconds=timeout_seconds)
    else:
        connection.exec_driver_sql("BEGIN DEFERRED")


def _begin_immediate(connection: sqlite3.Connection, *, timeout_seconds: float) -> None:
    """Take SQLite's lock to write.

    Raises DatabaseAway when others keep it for too long, and at once where nobody can write.

    SQLite itself sleeps longer with each try, up to a tenth of a second: whoever has waited for
    long would be the last to notice that the lock is free.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _execute_in_time(
            connection,
            "BEGIN IMMEDIATE",
            timeout_seconds=timeout_seconds,
            pause_seconds=_LOCK_PAUSE_SECONDS,
        )
    except sqlite3.OperationalError as error:
        raise DatabaseAway(first_line(error)) from error
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(timeout_seconds * 1000)}")
