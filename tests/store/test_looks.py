from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from receiver.store import intents, looks, notifications, results, waits
from receiver.store.database import Database
from receiver.store.looks import Claim, LeaseLost, LookRecord
from receiver.store.models import Look, RequestSet
from receiver.store.waits import Wait
from tests.support.rows import (
    ACCOUNT,
    LEASE_SECONDS,
    NOW,
    add_account,
    add_intent,
    add_open_set,
    apply_hints,
    at,
    claim,
    must_claim,
    notify,
    request_reading,
    rows,
    set_reading,
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


def test_what_is_not_due_is_not_claimed(database: Database) -> None:
    add_account(database)
    add_open_set(database, 1, look_at=at(1))
    assert claim(database, now=NOW) is None
    assert claim(database, now=at(1)) is not None


def test_what_has_been_due_for_longest_is_claimed_first(database: Database) -> None:
    add_account(database)
    for facebook_id, second in ((1, 5), (2, 3), (3, 4)):
        add_open_set(database, facebook_id, look_at=at(second))
    assert [must_claim(database, now=at(9)).facebook_id for _ in range(3)] == [2, 3, 1]


def test_a_claim_is_counted_and_written_before_any_call(database: Database, open_set: int) -> None:
    claimed = must_claim(database)
    row = the_set(database)
    assert (row.id, row.lease_token, row.lease_expires_at) == (open_set, claimed.lease, at(120))
    assert (row.quiet_looks, row.look_at) == (1, claimed.look_at)
    assert claimed.look_at >= at(LEASE_SECONDS)
    assert claimed.lease not in repr(row)


def test_a_set_under_a_lease_is_claimed_by_nobody_else(database: Database, open_set: int) -> None:
    must_claim(database)
    notify(database, open_set)
    apply_hints(database, now=at(1))
    assert claim(database, now=at(LEASE_SECONDS - 1)) is None


def test_an_expired_lease_can_be_claimed_again(database: Database, open_set: int) -> None:
    first = must_claim(database)
    second = must_claim(database, now=at(LEASE_SECONDS))
    assert (second.request_set_id, second.quiet_looks) == (open_set, 2)
    assert second.lease != first.lease


def test_claims_that_nobody_finishes_back_off(database: Database, open_set: int) -> None:
    moments = []
    moment = NOW
    for _ in range(20):
        claimed = must_claim(database, now=moment)
        moments.append(claimed.look_at - moment)
        moment = claimed.look_at
    assert the_set(database).quiet_looks == 20
    assert (moments[0], moments[-1]) == (timedelta(seconds=120), timedelta(seconds=300))
    assert open_set


def test_two_workers_claim_each_due_set_exactly_once(database: Database) -> None:
    add_account(database)
    due = {add_open_set(database, number, look_at=at(number % 3)) for number in range(1, 41)}
    both = threading.Barrier(2)

    def work() -> list[int]:
        url = database.engine.url.render_as_string(hide_password=False)
        with closing(Database(url, timeout_seconds=5)) as own:
            both.wait()
            claimed = []
            while (one := claim(own, now=at(9))) is not None:
                claimed.append(one.request_set_id)
            return claimed

    with ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(work) for _ in range(2)])
    assert sorted(one + other) == sorted(due)


def test_sets_of_an_account_that_must_wait_are_passed_over(database: Database) -> None:
    for account_id in (ACCOUNT, 2):
        add_account(database, account_id)
        add_open_set(database, account_id, account_id=account_id)
    with database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(at(60)))
    assert must_claim(database).account_id == 2
    assert claim(database) is None
    with database.reading() as session:
        assert not looks.is_any_due(session, now=at(59))
        assert looks.is_any_due(session, now=at(60))
    assert must_claim(database, now=at(60)).account_id == ACCOUNT


def write_everything(database: Database, stale: Claim) -> list[str]:
    """Try every write of a step under a lease; return the names of those that went through."""
    complete = set_reading(is_completed=True, total_count=1)
    writes: dict[str, Callable[[Session], None]] = {
        "hold": lambda s: looks.hold(s, stale, lease_until=at(999)),
        "reading": lambda s: looks.write_reading(
            s, stale, complete, verdict="lost", asked_at=at(130), now=at(130)
        ),
        "collected": lambda s: looks.finish_collected(
            s, stale, verdict="lost", look_at=None, now=at(130)
        ),
        "finish": lambda s: looks.finish(s, stale, look_at=at(500)),
    }
    through = []
    for name, write in writes.items():
        try:
            with database.writing() as session:
                write(session)
                through.append(name)
        except LeaseLost:
            continue
    return through


def test_whoever_lost_the_lease_writes_nothing(database: Database, open_set: int) -> None:
    stale = must_claim(database)
    must_claim(database, now=at(LEASE_SECONDS))
    before = vars(the_set(database))
    assert write_everything(database, stale) == []
    after = vars(the_set(database))
    assert {**before, "_sa_instance_state": 0} == {**after, "_sa_instance_state": 0}
    assert open_set


def test_whoever_lost_the_lease_and_the_other_is_done_writes_nothing(
    database: Database, open_set: int
) -> None:
    stale = must_claim(database)
    fresh = must_claim(database, now=at(LEASE_SECONDS))
    with database.writing() as session:
        looks.finish(session, fresh, look_at=at(400))
    assert write_everything(database, stale) == []
    assert (the_set(database).id, the_set(database).look_at) == (open_set, at(400))


def test_a_lost_lease_takes_back_what_its_transaction_wrote(
    database: Database, open_set: int
) -> None:
    stale = must_claim(database)
    must_claim(database, now=at(LEASE_SECONDS))

    def write_and_then_hold() -> None:
        with database.writing() as session:
            results.upsert(session, open_set, [request_reading(5)], read_at=NOW)
            looks.hold(session, stale, lease_until=at(999))

    with pytest.raises(LeaseLost):
        write_and_then_hold()
    with database.reading() as session:
        assert results.progress(session, open_set).rows == 0


def test_an_expired_lease_that_nobody_took_still_writes(database: Database, open_set: int) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        looks.hold(session, claimed, lease_until=at(5000))
    assert (the_set(database).id, the_set(database).lease_expires_at) == (open_set, at(5000))


def test_holding_keeps_others_away_for_longer(database: Database, open_set: int) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        looks.hold(session, claimed, lease_until=at(5000))
    assert claim(database, now=at(4999)) is None
    assert must_claim(database, now=at(5000)).request_set_id == open_set


def test_a_reading_of_a_complete_set_says_when_and_by_what_it_was_learned(
    database: Database, open_set: int
) -> None:
    notify(database, open_set)
    apply_hints(database)
    claimed = must_claim(database)
    reading = set_reading(is_completed=True, total_count=3, success_count=2, error_count=1)
    with database.writing() as session:
        looks.write_reading(
            session, claimed, reading, verdict="delivered", asked_at=at(1), now=at(1)
        )
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
        looks.write_reading(session, claimed, reading, verdict="lost", asked_at=at(1), now=at(1))
        looks.finish(session, claimed, look_at=at(2))
    again = must_claim(database, now=at(2))
    with database.writing() as session:
        looks.write_reading(
            session, again, set_reading(), verdict="lost", asked_at=at(3), now=at(3)
        )
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
        looks.write_reading(
            session, first, set_reading(), verdict="pending", asked_at=at(1), now=at(1)
        )
        looks.finish(session, first, look_at=at(10))
    notify(database, open_set)
    apply_hints(database, now=at(5))
    second = must_claim(database, now=at(5))
    with database.writing() as session:
        looks.write_reading(
            session, second, set_reading(), verdict="pending", asked_at=at(6), now=at(6)
        )
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


def test_a_set_that_is_being_submitted_can_be_claimed_once_its_sender_is_gone(
    database: Database,
) -> None:
    add_account(database)
    attempt = add_intent(database)
    assert claim(database, now=at(74)) is None
    claimed = must_claim(database, now=at(75))
    assert (claimed.request_set_id, claimed.state) == (
        attempt.request_set_id,
        intents.SUBMITTING,
    )


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
        looks.hold(session, claimed, lease_until=at(120))
        thread.start()
        assert not hinted.wait(0.1)
        assert notifications.is_notified(session, open_set)
        looks.finish_collected(session, claimed, verdict="pending", look_at=at(100), now=at(1))
    thread.join()
    row = the_set(database)
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "delivered", None)
