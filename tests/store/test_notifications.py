from __future__ import annotations

from itertools import pairwise

import pytest

from receiver.store import claims, intents, looks, notifications
from receiver.store.database import Database
from receiver.store.inbox.rows import ROWS_PER_TOKEN
from receiver.store.models import Notification, RequestSet
from tests.support.rows import (
    ACCOUNT,
    LEASE_SECONDS,
    NOW,
    add_account,
    add_intent,
    add_open_set,
    apply_hints,
    at,
    finish_collected,
    must_claim,
    notify,
    rows,
)


@pytest.fixture
def waiting_set(database: Database) -> int:
    """A set that is open, and not due for a long time."""
    add_account(database)
    return add_open_set(database, 1, look_at=at(10_000))


def the_set(database: Database) -> RequestSet:
    (row,) = rows(database, RequestSet)
    return row


def test_a_token_fills_twenty_rows_and_then_only_a_counter_moves(
    database: Database, waiting_set: int
) -> None:
    for _ in range(ROWS_PER_TOKEN + 5):
        notify(database, waiting_set)
    kept = rows(database, Notification)
    assert len(kept) == ROWS_PER_TOKEN == 20
    assert [row.repeats for row in kept] == [0] * 19 + [5]


def test_another_attempts_token_fills_rows_of_its_own(database: Database, waiting_set: int) -> None:
    for _ in range(ROWS_PER_TOKEN + 1):
        notify(database, waiting_set)
    notify(database, waiting_set, attempt=2)
    assert [row.attempt for row in rows(database, Notification)][-1] == 2


def test_a_call_that_is_only_counted_is_a_hint_all_the_same(
    database: Database, waiting_set: int
) -> None:
    for _ in range(ROWS_PER_TOKEN):
        notify(database, waiting_set)
    assert apply_hints(database) == ROWS_PER_TOKEN
    notify(database, waiting_set, now=at(100))
    assert apply_hints(database, now=at(100)) == 1
    assert the_set(database).hinted_at == at(100)


def test_a_hint_is_applied_once(database: Database, waiting_set: int) -> None:
    notify(database, waiting_set)
    assert apply_hints(database, now=at(1)) == 1
    assert apply_hints(database, now=at(2)) == 0
    (row,) = rows(database, Notification)
    assert (row.received_at, row.applied_at) == (NOW, at(1))
    assert (the_set(database).hinted_at, the_set(database).look_at) == (at(1), at(1))


def test_hints_make_a_set_due_at_most_every_ten_seconds(
    database: Database, waiting_set: int
) -> None:
    looked_at = []
    for second in range(60):
        notify(database, waiting_set, now=at(second))
        apply_hints(database, now=at(second))
        due = the_set(database).look_at
        assert due is not None
        if due <= at(second):
            claim = must_claim(database, now=at(second))
            with database.writing() as session:
                looks.finish(session, claim, look_at=at(10_000))
            looked_at.append(second)
    spaces = [later - earlier for earlier, later in pairwise(looked_at)]
    assert looked_at[0] == 0
    assert len(looked_at) >= 5
    assert min(spaces) >= 9  # a hint is spaced from the one before, which may be a second older


def test_a_second_hint_never_puts_a_set_off(database: Database, waiting_set: int) -> None:
    notify(database, waiting_set)
    apply_hints(database, now=at(1))
    notify(database, waiting_set)
    apply_hints(database, now=at(2))
    assert the_set(database).look_at == at(1)


def test_a_token_without_a_set_is_kept_and_applied(database: Database) -> None:
    notify(database, 4711)
    assert apply_hints(database) == 1
    assert [row.request_set_id for row in rows(database, Notification)] == [4711]
    assert apply_hints(database) == 0


def test_a_set_whose_sender_may_be_waiting_is_not_made_due(database: Database) -> None:
    add_account(database)
    attempt = add_intent(database)
    notify(database, attempt.request_set_id)
    apply_hints(database, now=at(1))
    row = the_set(database)
    assert (row.hinted_at, row.look_at, row.state) == (at(1), at(75), intents.SUBMITTING)


def test_a_set_that_was_hinted_before_its_answer_is_due_with_the_answer(
    database: Database,
) -> None:
    add_account(database)
    attempt = add_intent(database)
    notify(database, attempt.request_set_id)
    apply_hints(database, now=at(1))
    with database.writing() as session:
        intents.open_set(session, attempt, facebook_id=7, first_look_at=at(60), now=at(2))
    assert the_set(database).look_at == at(2)


def test_an_unknown_set_is_due_by_its_notification(database: Database) -> None:
    add_account(database)
    attempt = add_intent(database)
    with database.writing() as session:
        intents.leave_unknown(session, attempt, reason="cut", look_at=at(900), now=NOW)
    notify(database, attempt.request_set_id)
    apply_hints(database, now=at(1))
    assert the_set(database).look_at == at(1)


def test_a_rejected_set_is_due_because_facebook_seems_to_have_it(database: Database) -> None:
    add_account(database)
    attempt = add_intent(database)
    with database.writing() as session:
        intents.reject_set(session, attempt, reason="no", http_status=400, body=b"{}", now=NOW)
    notify(database, attempt.request_set_id)
    apply_hints(database)
    assert (the_set(database).state, the_set(database).look_at) == (intents.REJECTED, NOW)


def test_the_verdict_of_a_collected_set_becomes_delivered_and_nothing_is_due(
    database: Database, waiting_set: int
) -> None:
    with database.writing() as session:
        claim = claims.claim_due(
            session,
            [ACCOUNT],
            now=at(10_000),
            lease_until=at(10_120),
            next_look_at=lambda _: at(10_015),
        )
        assert claim is not None
        finish_collected(session, claim, verdict="lost", look_at=None, now=at(10_000))
    notify(database, waiting_set)
    apply_hints(database, now=at(10_001))
    row = the_set(database)
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "delivered", None)


def test_a_hint_between_claim_and_finish_survives(database: Database) -> None:
    add_account(database)
    request_set_id = add_open_set(database, 1)
    claim = must_claim(database)
    notify(database, request_set_id)
    apply_hints(database, now=at(3))
    with database.writing() as session:
        looks.finish(session, claim, look_at=at(900))
    assert the_set(database).look_at == at(3)
    assert must_claim(database, now=at(3)).why == "notification"


def test_two_hints_between_claim_and_finish_survive(database: Database) -> None:
    add_account(database)
    request_set_id = add_open_set(database, 1)
    claim = must_claim(database)
    for second in (3, 4):
        notify(database, request_set_id)
        apply_hints(database, now=at(second))
    with database.writing() as session:
        looks.finish(session, claim, look_at=at(900))
    due = the_set(database).look_at
    assert due is not None
    assert due <= at(13)


def test_a_hint_survives_a_claim_that_was_held_for_longer_than_its_first_lease(
    database: Database,
) -> None:
    """Its own look_at lies in the past by then, and must not pass for the hint's."""
    add_account(database)
    request_set_id = add_open_set(database, 1)
    notify(database, request_set_id)
    apply_hints(database)
    claim = must_claim(database)
    with database.writing() as session:
        claims.hold(session, claim, lease_until=at(3 * LEASE_SECONDS))
    notify(database, request_set_id)
    apply_hints(database, now=at(2 * LEASE_SECONDS))
    with database.writing() as session:
        looks.finish(session, claim, look_at=at(10_000))
    assert must_claim(database, now=at(2 * LEASE_SECONDS)).why == "notification"


def test_whose_sets_were_hinted_at_is_told(database: Database, waiting_set: int) -> None:
    notify(database, waiting_set)
    notify(database, waiting_set + 1)
    with database.writing() as session:
        applied = notifications.apply_hints(session, now=NOW)
        assert applied == notifications.Applied(2, frozenset({ACCOUNT}))
        assert notifications.apply_hints(session, now=NOW) == notifications.Applied()


def test_many_notifications_are_applied_in_portions(database: Database) -> None:
    for number in range(1, 8):
        notify(database, number)
    with database.writing() as session:
        assert notifications.apply_hints(session, now=NOW, limit=5).notifications == 5
        assert notifications.apply_hints(session, now=NOW, limit=5).notifications == 2


def test_only_a_set_with_a_notification_is_notified(database: Database, waiting_set: int) -> None:
    notify(database, waiting_set + 1)
    with database.reading() as session:
        assert not notifications.is_notified(session, waiting_set)
        assert notifications.is_notified(session, waiting_set + 1)
