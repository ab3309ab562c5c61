from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from receiver.store.database import Database, DatabaseAway
from receiver.store.models import Account, RequestSet
from tests.support.databases import fresh_database_url
from tests.support.rows import ACCOUNT, NOW, add_account, add_open_set

SECRET = "a-value-that-no-error-may-show"


def other(database: Database, *, timeout_seconds: float = 0.2) -> Database:
    """Another process's access to the same database, as it were."""
    url = database.engine.url.render_as_string(hide_password=False)
    return Database(url, timeout_seconds=timeout_seconds)


def test_two_writers_that_read_before_they_write_wait_for_each_other(database: Database) -> None:
    add_account(database)
    request_set_id = add_open_set(database, 1)
    both = threading.Barrier(2)

    def count_up() -> None:
        both.wait()
        for _ in range(10):
            with database.writing() as session:
                quiet_looks = session.execute(
                    select(RequestSet.quiet_looks)
                    .where(RequestSet.id == request_set_id)
                    .with_for_update()
                ).scalar_one()
                time.sleep(0.001)
                session.execute(update(RequestSet).values(quiet_looks=quiet_looks + 1))

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(count_up) for _ in range(2)]:
            future.result()
    with database.reading() as session:
        assert session.execute(select(RequestSet.quiet_looks)).scalar_one() == 20


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_statement_of_a_probe_ends_in_its_time_and_leaves_the_next_one_alone(
    database: Database,
) -> None:
    with (
        pytest.raises(DatabaseAway, match="statement timeout"),
        database.probing(timeout_seconds=0.05) as session,
    ):
        session.execute(text("SELECT pg_sleep(5)"))
    with database.reading() as session:
        session.execute(text("SELECT pg_sleep(0.1)"))


def test_readers_do_not_wait_for_a_writer_and_see_nothing_unfinished(database: Database) -> None:
    add_account(database)
    with closing(other(database)) as second, database.writing() as session:
        session.execute(update(Account).values(resume_at=NOW))
        session.flush()
        with second.reading() as reader:
            assert reader.execute(select(Account.resume_at)).scalar_one() is None


def test_an_error_in_the_block_leaves_nothing_half_written(database: Database) -> None:
    add_account(database)

    def fail_after_writing() -> None:
        with database.writing() as session:
            session.execute(update(Account).values(resume_at=NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with database.reading() as session:
        assert session.execute(select(Account.resume_at)).scalar_one() is None


def test_a_lock_that_does_not_come_in_time_is_a_database_that_is_away(database: Database) -> None:
    add_account(database)
    with closing(other(database)) as second, database.writing() as session:
        session.execute(update(Account).values(resume_at=NOW))
        began = time.monotonic()
        with pytest.raises(DatabaseAway) as caught, second.writing() as waiting:
            waiting.execute(update(Account).values(credential_id=1))
    assert time.monotonic() - began < 10
    assert "lock" in str(caught.value)
    assert "UPDATE" not in str(caught.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("setting", "said"), [("query_only = ON", "readonly"), ("max_page_count = 1", "full")]
)
def test_a_disk_that_takes_nothing_is_told_of_at_once(
    database: Database, setting: str, said: str
) -> None:
    with closing(other(database, timeout_seconds=30)) as second:
        event.listen(second.engine, "connect", lambda one, _: one.execute(f"PRAGMA {setting}"))
        began = time.monotonic()
        with pytest.raises(DatabaseAway, match=said), second.writing() as session:
            session.execute(text("CREATE TABLE more (than INTEGER)"))
    assert time.monotonic() - began < 10


def test_a_pool_that_is_used_up_is_a_database_that_is_away(database: Database) -> None:
    with closing(other(database, timeout_seconds=0.1)) as second:
        connections = [second.engine.connect() for _ in range(20)]
        with pytest.raises(DatabaseAway, match="QueuePool"), second.reading() as session:
            session.execute(text("SELECT 1"))
        for connection in connections:
            connection.close()


def test_a_server_that_is_not_there_is_away_and_its_password_stays_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql+psycopg://someone:{SECRET}@127.0.0.1:{port}/nothing"
    with (
        closing(Database(url, timeout_seconds=1)) as database,
        pytest.raises(DatabaseAway) as caught,
        database.reading() as session,
    ):
        session.execute(text("SELECT 1"))
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_opened_is_a_database_that_is_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder/receiver.db"
    with (
        closing(Database(url, timeout_seconds=1)) as database,
        pytest.raises(DatabaseAway, match="unable to open database file"),
        database.reading() as session,
    ):
        session.execute(text("SELECT 1"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_breaks_in_a_transaction_is_away_and_the_next_one_works(
    database: Database,
) -> None:
    with closing(other(database)) as second:
        with pytest.raises(DatabaseAway):
            break_in_a_transaction(second, killed_by=database)
        with second.reading() as session:
            assert session.execute(text("SELECT 1")).scalar_one() == 1


def break_in_a_transaction(database: Database, *, killed_by: Database) -> None:
    with database.writing() as session:
        process = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with killed_by.writing() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:p)"), {"p": process})
        session.execute(text("SELECT 1"))


def test_no_error_shows_the_values_of_a_statement(database: Database) -> None:
    add_account(database)
    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        session.execute(
            insert(Account).values(id=ACCOUNT, credential_id=1, created_at=NOW),
        )
    assert "2026" not in str(caught.value.statement)
    assert "[SQL parameters hidden" in str(caught.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_what_it_promises(database: Database) -> None:
    with database.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_a_pool_opens_no_more_connections_than_it_may(tmp_path: Path) -> None:
    with (
        fresh_database_url("postgresql", tmp_path) as url,
        closing(Database(url, timeout_seconds=0.2, pool_size=2)) as database,
    ):
        with database.reading() as first, database.reading() as second:
            pids = {
                one.execute(text("SELECT pg_backend_pid()")).scalar_one() for one in (first, second)
            }
            with pytest.raises(DatabaseAway), database.reading() as third:
                third.execute(text("SELECT 1"))
        with database.reading() as again:
            assert again.execute(text("SELECT pg_backend_pid()")).scalar_one() in pids
        assert len(pids) == 2
