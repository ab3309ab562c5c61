"""Bring the database's tables to this version, however many processes start at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import receiver
from receiver.store.database import Database, Session, translated
from receiver.store.partitions import giving_way

_LOCK_NUMBER = 7_223_310_041
"""Any number: the name of the lock that upgrades on PostgreSQL wait for."""


class SchemaOutdated(Exception):
    """The tables are older than this version, or there are none."""


def upgrade(database: Database) -> str:
    """Run the missing migrations and return the revision that was reached.

    A second process waits until the first is done, and finds nothing to do. Raises DatabaseAway,
    NotOwner, and TableBusy where others keep a table locked: what was not done yet is done the next
    time.
    """
    with translated(), giving_way(), _alone(database) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _current(connection) or ""


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """Yield a connection on which nobody else upgrades.

    SQLite does all migrations in one transaction. PostgreSQL does each in its own, so that no lock
    is held longer than one of them needs it, and is locked for as long as the connection lasts.
    """
    if database.is_sqlite:
        with database.begin_writing() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        # An upgrade may have to wait for another one for longer than a query for a lock.
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _LOCK_NUMBER})
        # For a table it may not: whoever comes after it would have to wait as long.
        connection.execute(text("RESET lock_timeout"))
        connection.commit()
        try:
            yield connection
        finally:
            # What is closed, instead of going back to the pool, ends the lock and what is set here.
            connection.invalidate()


def check(database: Database) -> None:
    """Raise SchemaOutdated, with what to do, when the tables are older than this version.

    Newer ones are taken: a migration runs while the version before it still serves, and a process
    of that version may have to start again. Raises DatabaseAway.
    """
    with translated(), database.engine.connect() as connection:
        current = _current(connection)
    _refuse_older(current)


def check_within(session: Session) -> str:
    """Do the same within a transaction, and return the tables' revision. Raises SchemaOutdated."""
    return _refuse_older(_current(session.connection()))


def _refuse_older(current: str | None) -> str:
    head, older = _revisions()
    if current is None or current in older:
        raise SchemaOutdated(
            f"The database's tables are at revision {current or 'none'} and this version needs "
            f"{head}: run 'receiver db upgrade'."
        )
    return current


@functools.cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision that this version knows, and the older ones.

    Read once: whoever asks for readiness each second need not read the files again.
    """
    scripts = ScriptDirectory.from_config(_config())
    head = scripts.get_current_head()
    return head, frozenset(script.revision for script in scripts.walk_revisions()) - {head}


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    return config


def _migrations() -> Path:
    """The migrations stand beside the package in a checkout, and inside it once installed."""
    package = Path(receiver.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"
