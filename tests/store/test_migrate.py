from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from receiver.store import migrate, partitions
from receiver.store.database import Database
from receiver.store.migrate import SchemaOutdated
from receiver.store.models import Base
from tests.support.databases import BACKENDS, empty_database_url, fresh_database_url

UPGRADES = """
import os, sys
from receiver.store import migrate, partitions
from receiver.store.database import Database
start, open_gate = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        os.close(open_gate)
        os.read(start, 1)
        print(migrate.upgrade(Database(sys.argv[1], timeout_seconds=20)), flush=True)
        os._exit(0)
os.close(open_gate)
sys.exit(any(os.wait()[1] for _ in range(8)))
"""
"""Eight processes that wait at one gate; their parent imports once for all of them."""

POSTGRES_SCHEMA = """
WITH partition AS (SELECT relname FROM pg_class WHERE relispartition)
SELECT 'column', table_name || '.' || column_name, data_type || is_nullable || identity_generation
  FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name NOT IN (SELECT relname FROM partition)
UNION ALL SELECT 'index', indexname, replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes
 WHERE schemaname = 'public' AND tablename NOT IN (SELECT relname FROM partition)
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid)
  FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace
   AND conrelid NOT IN (SELECT oid FROM pg_class WHERE relispartition)
"""
"""Partitions stand in no model: what each has to have is held in test_partitions.py."""

KEYS_OF_PARTITIONS = {f"pk_{table}" for table in partitions.MOMENTS}
"""Only a partition of these tables has a primary key: a key of the whole would hold the moment."""

SQLITE_SCHEMA = "SELECT type, name, sql FROM sqlite_master"


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url, timeout_seconds=5)
    yield database
    database.close()


def schema(database: Database) -> set[tuple[Any, ...]]:
    """Every table, index and constraint, as the database itself describes it."""
    is_sqlite = database.engine.dialect.name == "sqlite"
    with database.engine.connect() as connection:
        found = connection.execute(text(SQLITE_SCHEMA if is_sqlite else POSTGRES_SCHEMA))
        described = {(kind, name, _normal(definition)) for kind, name, definition in found}
    return {one for one in described if "alembic_version" not in str(one[1])}


def _normal(definition: str | None) -> object:
    # SQLite keeps the text of the statement, and writes a column that is added behind the last one;
    # the order of a table's columns and constraints means nothing.
    parts = re.split(r",\s|\n", definition or "")
    return tuple(sorted(filter(None, (part.strip().rstrip(",") for part in parts))))


def partition_names(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        return set()
    return set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))


def test_models_and_migrations_are_the_same(database: Database) -> None:
    with database.engine.connect() as connection:
        are_partitions = partition_names(connection)
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "include_name": lambda name, *_: name not in are_partitions,
            },
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_indexes_and_constraints_of_models_and_migrations_are_the_same(
    backend: str, tmp_path: Path
) -> None:
    with (
        fresh_database_url(backend, tmp_path) as migrated_url,
        empty_database_url(backend, tmp_path) as created_url,
    ):
        migrated = Database(migrated_url, timeout_seconds=5)
        created = Database(created_url, timeout_seconds=5)
        with created.begin_writing() as connection:
            Base.metadata.create_all(connection)
        expected = schema(created)
        if backend == "postgresql":
            keys = {one for one in expected if one[1] in KEYS_OF_PARTITIONS}
            assert len(keys) == 2 * len(KEYS_OF_PARTITIONS)
            expected -= keys
        assert schema(migrated) == expected
        migrated.close()
        created.close()


def test_eight_processes_that_upgrade_at_once_all_succeed(empty_url: str, empty: Database) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", UPGRADES, empty_url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["0010"] * 8), ended.stderr
    migrate.check(empty)


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database: Database) -> None:
    before = schema(database)
    assert migrate.upgrade(database) == "0010"
    assert schema(database) == before


def test_check_says_what_to_do_with_an_empty_database(empty: Database) -> None:
    with pytest.raises(SchemaOutdated, match=r"revision none .* run 'receiver db upgrade'"):
        migrate.check(empty)


def test_check_says_what_to_do_with_an_older_database(database: Database) -> None:
    with database.begin_writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(SchemaOutdated, match="at revision 0001 and this version needs 0010"):
        migrate.check(database)


def test_check_takes_tables_that_are_newer_than_it_knows(database: Database) -> None:
    """A migration runs while the version before it still serves, and may start again."""
    with database.begin_writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate.check(database)


def test_check_is_content_with_the_newest(database: Database) -> None:
    migrate.check(database)
