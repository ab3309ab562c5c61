from __future__ import annotations

import threading

import pytest

from receiver.store import claims, intents, looks, notifications
from receiver.store.database import Database
from receiver.store.looks import LookRecord
from receiver.store.models import Look, RequestSet
from tests.support.rows import (
    ACCOUNT,
    NOW,
    add_account,
    add_open_set,
    apply_hints,
    at,
    finish_collected,
    must_claim,
    notify,
    rows,
    set_reading,
    write_reading,
)

RECORD = LookRecord(kind="set", started_at=NOW, ended_at=at(5), calls=1)


@pytest.fixture
def open_set(database: Database) -> int:
    """A set that is open and due."""
    add_account(database)
    return add_open_set(database, 1)


def the_set(database: Database) -> RequestSet:
    (row,) = rows(database, RequestSet)
    return row


def test_a_reading_of_a_complete_set_says_when_and_by_what_it_was_learned(
    database: Database, open_set: int
) -> None:
    notify(database, open_set)
    apply_hints(database)
    claimed = must_claim(database)
    reading = set_reading(is_completed=True, total_count=3, success_count=2, error_count=1)
    with database.writing() as session:
        write_reading(session, claimed, reading, verdict="delivered", now=at(1))
        looks.finish(session, claimed, look_at=at(20))
    row = the_set(database)
    assert (row.state, row.is_completed, row.completed_at) == (intents.COMPLETED, True, at(1))
    assert (row.learned_by, row.verdict, row.total_count) == ("notification", "delivered", 3)


def test_a_complete_set_stays_complete_whatever_is_read_later(
    database: Database, open_set: int
) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        reading = set_reading(is_completed=True)
        write_reading(session, claimed, reading, verdict="lost", now=at(1))
        looks.finish(session, claimed, look_at=at(2))
    again = must_claim(database, now=at(2))
    with database.writing() as session:
        write_reading(session, again, set_reading(), verdict="lost", now=at(3))
    row = the_set(database)
    assert (row.state, row.is_completed, row.completed_at) == (intents.COMPLETED, True, at(1))
    assert (row.id, row.learned_by) == (open_set, "poll")


def test_progress_resets_the_count_of_quiet_looks(database: Database, open_set: int) -> None:
    for progressed, expected in ((False, 1), (True, 0), (False, 1), (False, 2)):
        claimed = must_claim(database, now=at(1000))
        with database.writing() as session:
            looks.finish(session, claimed, look_at=at(1000), progressed=progressed)
        assert the_set(database).quiet_looks == expected
    assert open_set


def test_a_look_says_whether_a_notification_made_the_set_due(
    database: Database, open_set: int
) -> None:
    first = must_claim(database)
    with database.writing() as session:
        write_reading(session, first, set_reading(), verdict="pending", now=at(1))
        looks.finish(session, first, look_at=at(10))
    notify(database, open_set)
    apply_hints(database, now=at(5))
    second = must_claim(database, now=at(5))
    with database.writing() as session:
        write_reading(session, second, set_reading(), verdict="pending", now=at(6))
        looks.finish(session, second, look_at=at(20))
    third = must_claim(database, now=at(20))
    assert [one.why for one in (first, second, third)] == ["poll", "notification", "poll"]


def test_a_look_is_kept_with_the_set_and_account_of_its_claim(
    database: Database, open_set: int
) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        looks.add_look(session, claimed, RECORD)
    (look,) = rows(database, Look)
    assert (look.request_set_id, look.account_id, look.why) == (open_set, ACCOUNT, "poll")
    assert (look.kind, look.calls, look.rows, look.started_at) == ("set", 1, 0, NOW)
    assert look.duration_ms == 5000


def test_a_notification_that_waits_for_the_collecting_transaction_is_heard(
    database: Database, open_set: int
) -> None:
    """The hint is applied while a collect's last transaction holds the set's row."""
    claimed = must_claim(database)
    notify(database, open_set)
    hinted = threading.Event()

    def hint() -> None:
        apply_hints(database, now=at(1))
        hinted.set()

    thread = threading.Thread(target=hint)
    with database.writing() as session:
        claims.hold(session, claimed, lease_until=at(120))
        thread.start()
        assert not hinted.wait(0.1)
        assert notifications.is_notified(session, open_set)
        finish_collected(session, claimed, verdict="pending", look_at=at(100), now=at(1))
    thread.join()
    row = the_set(database)
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "delivered", None)
