from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from receiver.cli import main
from receiver.store import migrate
from receiver.store.database import Database
from tests.support.commands import environment
from tests.support.databases import empty_database_url


def test_an_upgrade_says_the_revision_and_can_be_repeated(tmp_path: Path) -> None:
    env = environment(f"sqlite:///{tmp_path}/new.db")
    for _ in range(2):
        result = CliRunner().invoke(main, ["db", "upgrade"], env=env)
        assert (result.exit_code, result.stdout) == (
            0,
            "The database's tables are at revision 0010.\n",
        )


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////no/such/folder/receiver.db",
        "postgresql://someone:hidden-password@127.0.0.1:1/receiver",
    ],
)
def test_a_database_that_is_away_ends_it_in_words(url: str) -> None:
    env = environment(url) | {"RECEIVER_DATABASE_TIMEOUT_SECONDS": "1"}
    result = CliRunner().invoke(main, ["db", "upgrade"], env=env)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database is away: ")
    assert "Check RECEIVER_DATABASE_URL" in result.stderr
    assert "hidden-password" not in result.output


def test_a_wrong_setting_ends_it_in_words(tmp_path: Path) -> None:
    env = environment(f"sqlite:///{tmp_path}/new.db") | {"RECEIVER_SECRET_KEYS": "short"}
    result = CliRunner().invoke(main, ["db", "upgrade"], env=env)
    assert result.exit_code == 2
    assert "RECEIVER_SECRET_KEYS must be" in result.stderr


def test_tables_that_others_have_locked_end_it_in_words(tmp_path: Path) -> None:
    with empty_database_url("postgresql", tmp_path) as url:
        database = Database(url, timeout_seconds=5)
        migrate.upgrade(database)
        with database.begin_writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0005'")
        env = environment(url.replace("+psycopg", "")) | {"RECEIVER_DATABASE_TIMEOUT_SECONDS": "1"}
        with database.reading() as session:
            session.execute(text("SELECT FROM action_plan")).all()
            result = CliRunner().invoke(main, ["db", "upgrade"], env=env)
        database.close()
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr == "Error: Others have the table in use. Run it again when they are done.\n"
    )
