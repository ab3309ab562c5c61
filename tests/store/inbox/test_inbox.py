from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from sqlalchemy import make_url, text

from receiver.store.database import Database, DatabaseAway
from receiver.store.inbox.inbox import Inbox
from receiver.store.inbox.rows import ROWS_PER_TOKEN, NewNotification
from receiver.store.models import Notification
from tests.support.databases import locked, refuse_rows
from tests.support.relay import relay_to
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


@of_postgresql
def test_a_server_that_falls_silent_is_not_waited_for_without_an_end(database_url: str) -> None:
    """It takes what it is sent, and never says a word more: as a machine does that stands still."""
    url = make_url(database_url)
    with relay_to(url.host or "127.0.0.1", url.port or 5432) as relay:
        relayed = url.set(host="127.0.0.1", port=relay.port)
        database = Database(relayed.render_as_string(hide_password=False), timeout_seconds=0.5)
        with closing(database), closing(Inbox(database)) as inbox:
            inbox.keep(new_notification(1))
            relay.fall_silent()
            with pytest.raises(DatabaseAway, match="did not answer in time"):
                inbox.keep(new_notification(2))
