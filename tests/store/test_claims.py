from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from receiver.store import claims, intents, looks, waits
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Database
from receiver.store.models import RequestSet
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
    finish_collected,
    must_claim,
    notify,
    progress,
    request_reading,
    rows,
    set_reading,
    upsert,
    write_reading,
)


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


def test_a_claim_for_one_account_leaves_what_is_due_of_the_others(database: Database) -> None:
    for account_id in (ACCOUNT, 2):
        add_account(database, account_id)
    add_open_set(database, 1, look_at=at(1))
    add_open_set(database, 2, account_id=2, look_at=at(3))
    add_open_set(database, 3, account_id=2, look_at=at(2))
    claimed = [claim(database, now=at(9), account_id=2) for _ in range(3)]
    assert [each and each.facebook_id for each in claimed] == [3, 2, None]
    assert claim(database, now=at(9), account_id=ACCOUNT) is not None


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
    assert claim(database, now=at(59)) is None
    assert claim(database, now=at(59), account_id=ACCOUNT) is None
    assert must_claim(database, now=at(60)).account_id == ACCOUNT


def write_everything(database: Database, stale: Claim) -> list[str]:
    """Try every write of a step under a lease; return the names of those that went through."""
    complete = set_reading(is_completed=True, total_count=1)
    writes: dict[str, Callable[[Session], None]] = {
        "hold": lambda s: claims.hold(s, stale, lease_until=at(999)),
        "reading": lambda s: write_reading(s, stale, complete, verdict="lost", now=at(130)),
        "collected": lambda s: finish_collected(
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
            upsert(session, open_set, [request_reading(5)], account_id=ACCOUNT, read_at=NOW)
            claims.hold(session, stale, lease_until=at(999))

    with pytest.raises(LeaseLost):
        write_and_then_hold()
    with database.reading() as session:
        assert progress(session, open_set).rows == 0


def test_an_expired_lease_that_nobody_took_still_writes(database: Database, open_set: int) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        claims.hold(session, claimed, lease_until=at(5000))
    assert (the_set(database).id, the_set(database).lease_expires_at) == (open_set, at(5000))


def test_holding_keeps_others_away_for_longer(database: Database, open_set: int) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        claims.hold(session, claimed, lease_until=at(5000))
    assert claim(database, now=at(4999)) is None
    assert must_claim(database, now=at(5000)).request_set_id == open_set


def let_go(database: Database, claimed: Claim, *, now: datetime) -> int:
    with database.writing() as session:
        return claims.let_go(
            session, claimed, due_at=lambda quiet_looks: now + timedelta(seconds=quiet_looks)
        )


def claim_two(database: Database) -> Claim:
    """Claim a set with another beside it, of which one was quiet before; a third is another's."""
    add_account(database)
    for number in (1, 2, 3):
        add_open_set(database, number, look_at=at(-number))
    with database.writing() as session:
        session.get_one(RequestSet, 2).quiet_looks = 4
    must_claim(database)
    claimed = must_claim(database)
    with database.writing() as session:
        beside = claims.claim_beside(
            session,
            claimed,
            now=NOW,
            due_before=NOW,
            lease_until=at(LEASE_SECONDS),
            next_look_at=lambda _: at(15),
            most=9,
        )
    assert len(beside) == 1
    return claimed


def test_all_that_is_held_under_a_lease_is_let_go_and_nothing_else(database: Database) -> None:
    claimed = claim_two(database)
    assert let_go(database, claimed, now=at(9)) == 2
    assert [(row.look_at, row.lease_token is None) for row in rows(database, RequestSet)] == [
        (at(10), True),
        (at(14), True),
        (at(LEASE_SECONDS), False),
    ]
    assert write_everything(database, claimed) == []
    assert let_go(database, claimed, now=at(9)) == 0


def test_what_somebody_made_due_meanwhile_stays_due_when_it_is_let_go(database: Database) -> None:
    claimed = claim_two(database)
    notify(database, 1)
    apply_hints(database, now=at(3))
    assert let_go(database, claimed, now=at(9)) == 2
    assert [row.look_at for row in rows(database, RequestSet)][:2] == [at(3), at(14)]


def test_nobody_lets_go_of_what_another_has_by_now(database: Database, open_set: int) -> None:
    stale = must_claim(database)
    fresh = must_claim(database, now=at(LEASE_SECONDS))
    assert let_go(database, stale, now=at(130)) == 0
    row = the_set(database)
    assert (row.id, row.lease_token, row.look_at) == (open_set, fresh.lease, fresh.look_at)


def test_what_came_to_an_end_is_not_made_due_when_it_is_let_go(
    database: Database, open_set: int
) -> None:
    claimed = must_claim(database)
    with database.writing() as session:
        finish_collected(session, claimed, verdict="lost", look_at=None, now=at(1))
    assert let_go(database, claimed, now=at(9)) == 0
    assert (the_set(database).id, the_set(database).look_at) == (open_set, None)


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
