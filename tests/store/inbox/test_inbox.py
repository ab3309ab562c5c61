from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from psycopg import DatabaseError
from sqlalchemy import make_url, text

from receiver.store.database import Database, DatabaseAway
from receiver.store.inbox.inbox import Inbox
from receiver.store.inbox.rows import ROWS_PER_TOKEN, NewNotification
from receiver.store.models import Notification
from tests.support.databases import locked, refuse_commits, refuse_rows
from tests.support.relay import Relay, relay_to
from tests.support.rows import new_notification, rows

of_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def inbox(database: Database) -> Iterator[Inbox]:
    with closing(Inbox(database)) as inbox:
        yield inbox


def keep_together(inbox: Inbox, *notifications: NewNotification) -> list[BaseException | None]:
    """Keep some in one transaction; how each ended."""
    jobs = [partial(inbox.keep, notification) for notification in notifications]
    return [future.exception() for future in inbox.run_together(jobs)]


def test_a_notification_is_kept_as_it_came(database: Database, inbox: Inbox) -> None:
    elsewhere = datetime(2026, 3, 1, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    brought = NewNotification(
        2**62, 3, elsewhere, "PURGE", "::1", "a=\\0", '[["X","\\u0000"]]', b"\0\xff", "size"
    )

    inbox.keep(brought)

    (kept,) = rows(database, Notification)
    assert [getattr(kept, name) for name in brought._fields] == list(brought)
    assert kept.received_at.tzinfo == UTC
    assert (kept.repeats, kept.applied_at, kept.account_id) == (0, None, None)


def test_many_threads_keep_what_each_brings(database: Database, inbox: Inbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: inbox.keep(new_notification(number)), range(1, 201)))

    kept = sorted(row.request_set_id for row in rows(database, Notification))
    assert kept == list(range(1, 201))


def test_several_processes_keep_what_each_brings(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)

    def keep_some(number: int) -> None:
        with closing(Database(url, timeout_seconds=10)) as own, closing(Inbox(own)) as inbox:
            for row in range(50):
                inbox.keep(new_notification(1000 * number + row + 1))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(keep_some, range(3)))

    assert len(rows(database, Notification)) == 150


def test_one_token_fills_its_rows_in_one_transaction_too(database: Database, inbox: Inbox) -> None:
    ends = keep_together(
        inbox, *[new_notification(1) for _ in range(ROWS_PER_TOKEN + 5)], new_notification(2)
    )

    assert ends == [None] * (ROWS_PER_TOKEN + 6)
    kept = [row for row in rows(database, Notification) if row.request_set_id == 1]
    assert [row.repeats for row in kept] == [0] * (ROWS_PER_TOKEN - 1) + [5]
    assert len(rows(database, Notification)) == ROWS_PER_TOKEN + 1


def test_a_row_that_the_database_refuses_takes_no_other_with_it(
    database: Database, inbox: Inbox
) -> None:
    refuse_rows(database, "notification", where="NEW.request_set_id = 2")

    first, bad, third = keep_together(
        inbox, new_notification(1), new_notification(2), new_notification(3)
    )

    assert (first, third) == (None, None)
    assert not isinstance(bad, DatabaseAway)
    assert "a secret value" in str(bad)
    assert [row.request_set_id for row in rows(database, Notification)] == [1, 3]
    inbox.keep(new_notification(4))


@of_postgresql
def test_what_postgresql_cannot_store_takes_no_other_with_it(
    database: Database, inbox: Inbox
) -> None:
    unfit = [
        new_notification(1)._replace(query="\0"),
        new_notification(2)._replace(query="\ud800"),
        new_notification(2**64),
    ]

    ends = keep_together(inbox, *unfit, new_notification(5))

    assert [end is None for end in ends] == [False, False, False, True]
    assert not any(isinstance(end, DatabaseAway) for end in ends)
    assert [row.request_set_id for row in rows(database, Notification)] == [5]


def test_a_database_that_others_lock_is_away_until_they_let_go(database_url: str) -> None:
    database = Database(database_url, timeout_seconds=0.2)
    with closing(database), closing(Inbox(database)) as inbox:
        with locked(database_url), pytest.raises(DatabaseAway):
            inbox.keep(new_notification(1))
        inbox.keep(new_notification(2))
        assert [row.request_set_id for row in rows(database, Notification)] == [2]


@of_postgresql
def test_a_server_that_was_restarted_is_connected_to_anew(database: Database, inbox: Inbox) -> None:
    inbox.keep(new_notification(1))
    with database.reading() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    inbox.keep(new_notification(2))

    assert [row.request_set_id for row in rows(database, Notification)] == [1, 2]


@of_postgresql
def test_a_server_that_ends_the_connection_in_the_middle_is_asked_once_more(
    database: Database, inbox: Inbox
) -> None:
    inbox.keep(new_notification(1))
    url = database.engine.url.render_as_string(hide_password=False)
    terminated = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
        "datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%unnest%'"
    )
    with ThreadPoolExecutor(1) as pool, database.begin_writing() as lock:
        lock.execute(text("LOCK TABLE notification IN EXCLUSIVE MODE"))
        kept = pool.submit(inbox.keep, new_notification(2))
        with closing(Database(url, timeout_seconds=5)) as other:
            while True:
                with other.reading() as session:
                    if session.scalar(terminated):
                        break
        lock.rollback()
        kept.result(10)

    assert [row.request_set_id for row in rows(database, Notification)] == [1, 2]


@contextmanager
def relayed(
    database_url: str, *, timeout_seconds: float
) -> Iterator[tuple[Relay, Database, Inbox]]:
    """A database behind a relay, which can fall silent as a machine does that stands still."""
    url = make_url(database_url)
    with relay_to(url.host or "127.0.0.1", url.port or 5432) as relay:
        behind = url.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
        database = Database(behind, timeout_seconds=timeout_seconds)
        with closing(database), closing(Inbox(database)) as inbox:
            yield relay, database, inbox


def wait_until(database: Database, condition: str) -> None:
    """Wait until a query on PostgreSQL's sessions in this database (``ours``) says so."""
    ours = text(condition.format(ours="datname = current_database()"))
    ends_at = time.monotonic() + 10
    is_so = False
    while not is_so:
        assert time.monotonic() < ends_at, condition
        with database.reading() as session:
            is_so = bool(session.scalar(ours))


@of_postgresql
def test_a_server_that_falls_silent_is_not_waited_for_without_an_end(database_url: str) -> None:
    """Neither by whoever writes, nor by the next one, which connects anew."""
    with (
        relayed(database_url, timeout_seconds=0.5) as (relay, database, inbox),
        ThreadPoolExecutor(1) as pool,
    ):
        inbox.keep(new_notification(1))
        with database.reading() as session:  # an idle connection waits in the pool
            session.execute(text("SELECT 1"))
        relay.fall_silent()
        with pytest.raises(DatabaseAway, match="did not answer in time"):
            inbox.keep(new_notification(2))
        next_one = pool.submit(inbox.keep, new_notification(3))
        try:
            with pytest.raises(DatabaseAway):
                next_one.result(10)
        finally:
            relay.close()


@of_postgresql
def test_a_repetition_is_not_waited_for_without_an_end_either(
    database_url: str, database: Database
) -> None:
    with (
        relayed(database_url, timeout_seconds=1) as (relay, _, inbox),
        ThreadPoolExecutor(1) as pool,
    ):
        keep_together(inbox, *[new_notification(1) for _ in range(ROWS_PER_TOKEN)])
        with database.begin_writing() as lock:
            lock.execute(text("SELECT 1 FROM notification FOR UPDATE"))
            repetition = pool.submit(inbox.keep, new_notification(1))
            wait_until(
                database,
                "SELECT count(*) > 0 FROM pg_stat_activity "
                "WHERE {ours} AND wait_event_type = 'Lock'",
            )
            relay.fall_silent()
            try:
                with pytest.raises(DatabaseAway, match="did not answer in time"):
                    repetition.result(10)
            finally:
                relay.close()


@of_postgresql
def test_a_silent_server_is_waited_for_once_and_not_once_a_row(database_url: str) -> None:
    with relayed(database_url, timeout_seconds=0.5) as (relay, _, inbox):
        inbox.keep(new_notification(1))
        relay.fall_silent()
        began = time.monotonic()
        unfit, *others = keep_together(
            inbox,
            new_notification(2)._replace(query="\ud800"),
            *[new_notification(number) for number in range(3, 9)],
        )
        assert time.monotonic() - began < 5
    assert isinstance(unfit, UnicodeEncodeError)
    assert all(isinstance(end, DatabaseAway) for end in others)


@of_postgresql
def test_what_is_refused_only_in_its_commit_is_not_taken_for_kept(
    database: Database, inbox: Inbox
) -> None:
    """PostgreSQL says what it inserted before it commits that."""
    refuse_commits(database, "notification")

    with pytest.raises(DatabaseError, match="a secret value"):
        inbox.keep(new_notification(1))

    assert rows(database, Notification) == []


def on_the_connection_of(inbox: Inbox, statement: str) -> None:
    writer: Any = inbox._writer
    writer._connection.execute(statement)


@of_postgresql
@pytest.mark.parametrize(
    "statement",
    ["DISCARD ALL", "SET default_transaction_read_only = on"],
    ids=["cleared by a pooler", "to a standby"],
)
def test_a_connection_that_cannot_be_written_with_any_more_is_opened_anew(
    database: Database, inbox: Inbox, statement: str
) -> None:
    inbox.keep(new_notification(1))
    on_the_connection_of(inbox, statement)

    assert keep_together(inbox, new_notification(2), new_notification(3)) == [None, None]

    assert [row.request_set_id for row in rows(database, Notification)] == [1, 2, 3]


@of_postgresql
def test_a_server_that_takes_no_writes_is_away(database: Database, inbox: Inbox) -> None:
    with database.begin_writing() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    try:
        with pytest.raises(DatabaseAway, match="read-only"):
            inbox.keep(new_notification(1))
    finally:
        with database.begin_writing() as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))

    inbox.keep(new_notification(2))


@of_postgresql
def test_a_statement_that_the_server_does_not_know_leaves_no_connection_open(
    database: Database, inbox: Inbox
) -> None:
    rename = "ALTER TABLE notification RENAME COLUMN {} TO {}"
    with database.begin_writing() as connection:
        connection.execute(text(rename.format("query", "other")))
    try:
        ends = keep_together(inbox, *[new_notification(number) for number in range(1, 9)])
        # ``ends`` is still held, and so is what hangs on its tracebacks.
        wait_until(database, "SELECT count(*) = 1 FROM pg_stat_activity WHERE {ours}")
    finally:
        with database.begin_writing() as connection:
            connection.execute(text(rename.format("other", "query")))

    assert all(isinstance(end, DatabaseError) for end in ends)


def test_a_pool_that_is_used_up_keeps_no_notification_out(database_url: str) -> None:
    database = Database(database_url, timeout_seconds=0.2, pool_size=1)
    with closing(database), closing(Inbox(database)) as inbox, database.reading() as session:
        session.execute(text("SELECT 1"))
        inbox.keep(new_notification(1))
