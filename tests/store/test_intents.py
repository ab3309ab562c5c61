from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete

from receiver.store import claims, intents, looks
from receiver.store.claims import LeaseLost
from receiver.store.database import Database
from receiver.store.intents import Attempt, Opening
from receiver.store.models import FoundSet, RequestSet, Submission
from tests.support.rows import (
    NOW,
    add_account,
    add_intent,
    apply_hints,
    at,
    claim,
    must_claim,
    notify,
    rows,
)


@pytest.fixture
def attempt(database: Database) -> Attempt:
    add_account(database)
    return add_intent(database)


def the_set(database: Database) -> RequestSet:
    return rows(database, RequestSet)[0]


def the_submission(database: Database) -> Submission:
    return rows(database, Submission)[0]


def open_set(database: Database, attempt: Attempt, *, facebook_id: int = 7) -> Opening:
    with database.writing() as session:
        return intents.open_set(
            session, attempt, facebook_id=facebook_id, first_look_at=at(60), now=at(1)
        )


def reject(database: Database, attempt: Attempt) -> None:
    with database.writing() as session:
        intents.reject_set(session, attempt, reason="no", http_status=400, body=b"{}", now=at(2))


def leave_unknown(database: Database, attempt: Attempt) -> None:
    with database.writing() as session:
        intents.leave_unknown(session, attempt, reason="cut", look_at=at(15), now=at(1))


def test_an_intent_stands_with_its_submission(database: Database, attempt: Attempt) -> None:
    row, submission = the_set(database), the_submission(database)
    assert (row.id, row.state, row.attempt, row.look_at) == (
        attempt.request_set_id,
        intents.SUBMITTING,
        1,
        at(75),
    )
    assert (submission.outcome, submission.send_before) == (intents.SUBMITTING, at(10))
    assert submission.answered_at is None


def test_the_specs_are_read_only_where_they_are_asked_for(
    database: Database, attempt: Attempt
) -> None:
    row = the_set(database)
    with pytest.raises(Exception, match="ad_specs"):
        _ = row.ad_specs
    assert attempt


def test_an_answer_opens_the_set(database: Database, attempt: Attempt) -> None:
    assert open_set(database, attempt) is Opening.OPEN
    row, submission = the_set(database), the_submission(database)
    assert (row.state, row.facebook_id, row.opened_at) == (intents.OPEN, 7, at(1))
    assert row.look_at == at(60)
    assert (submission.outcome, submission.facebook_id, submission.answered_at) == (
        intents.OPEN,
        7,
        at(1),
    )


def test_opening_a_set_twice_under_one_id_is_no_trouble(
    database: Database, attempt: Attempt
) -> None:
    assert open_set(database, attempt) is Opening.OPEN
    assert open_set(database, attempt) is Opening.OPEN


def test_a_set_keeps_its_first_id(database: Database, attempt: Attempt) -> None:
    open_set(database, attempt)
    assert open_set(database, attempt, facebook_id=8) is Opening.SECOND
    assert the_set(database).facebook_id == 7


def test_a_second_id_of_a_set_is_kept_beside_the_first(
    database: Database, attempt: Attempt
) -> None:
    for facebook_id in (7, 8, 7, 8):
        open_set(database, attempt, facebook_id=facebook_id)
    assert [row.facebook_id for row in rows(database, FoundSet)] == [7, 8]


def test_two_intents_never_hold_one_set(database: Database, attempt: Attempt) -> None:
    other = add_intent(database)
    open_set(database, attempt)
    assert open_set(database, other) is Opening.TAKEN
    assert [row.facebook_id for row in rows(database, RequestSet)] == [7, None]


@pytest.mark.parametrize("settle", [leave_unknown, reject])
def test_evidence_that_comes_late_opens_the_set(
    database: Database, attempt: Attempt, settle: object
) -> None:
    assert callable(settle)
    settle(database, attempt)
    assert open_set(database, attempt) is Opening.OPEN
    row = the_set(database)
    assert (row.state, row.state_reason, row.error_body) == (intents.OPEN, None, None)
    assert row.error_http_status is None


def test_an_unknown_set_says_why_and_is_looked_for(database: Database, attempt: Attempt) -> None:
    leave_unknown(database, attempt)
    row = the_set(database)
    assert (row.state, row.state_reason, row.look_at) == (intents.UNKNOWN, "cut", at(15))
    assert the_submission(database).error == "cut"


def test_a_rejected_set_keeps_the_refusal_as_it_came(database: Database, attempt: Attempt) -> None:
    reject(database, attempt)
    row = the_set(database)
    assert (row.state, row.error_http_status, row.error_body) == (intents.REJECTED, 400, b"{}")
    assert row.look_at is None
    assert claim(database, now=at(99_999)) is None


def test_a_refusal_that_comes_late_settles_an_unknown_set(
    database: Database, attempt: Attempt
) -> None:
    """The sender was paused for so long that it counted as gone, and then read its answer."""
    leave_unknown(database, attempt)
    reject(database, attempt)
    assert (the_set(database).state, the_set(database).look_at) == (intents.REJECTED, None)


@pytest.mark.parametrize("settle", [leave_unknown, reject])
def test_what_its_sender_saw_never_closes_an_open_set(
    database: Database, attempt: Attempt, settle: object
) -> None:
    assert callable(settle)
    open_set(database, attempt)
    settle(database, attempt)
    row, submission = the_set(database), the_submission(database)
    assert (row.state, row.state_reason, row.look_at) == (intents.OPEN, None, at(60))
    assert (submission.outcome, submission.facebook_id) == (intents.OPEN, 7)


@pytest.mark.parametrize("settle", [open_set, reject])
def test_an_answer_ends_the_search_of_whoever_thought_it_lost(
    database: Database, attempt: Attempt, settle: object
) -> None:
    assert callable(settle)
    searching = must_claim(database, now=at(75))
    settle(database, attempt)
    with pytest.raises(LeaseLost), database.writing() as session:
        looks.finish(session, searching, look_at=at(90), reason="not found")
    assert the_set(database).state_reason in (None, "no")


def test_two_who_learn_of_one_set_at_once_both_hear_that_it_is_open(
    database: Database, attempt: Attempt
) -> None:
    assert open_while_another_opens(database, attempt, first=attempt) == [Opening.OPEN]


def open_while_another_opens(
    database: Database, attempt: Attempt, *, first: Attempt
) -> list[Opening]:
    """Open two intents with one id, the second one's transaction begun within the first one's."""
    results = []
    thread = threading.Thread(target=lambda: results.append(open_set(database, attempt)))
    with database.writing() as session:
        intents.open_set(session, first, facebook_id=7, first_look_at=at(60), now=NOW)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join()
    return results


def test_ids_of_intents_are_never_given_out_twice(database: Database, attempt: Attempt) -> None:
    with database.writing() as session:
        session.execute(delete(Submission))
        session.execute(delete(RequestSet))
    assert add_intent(database).request_set_id > attempt.request_set_id


def test_two_intents_that_get_one_id_at_once_do_not_both_hold_it(
    database: Database, attempt: Attempt
) -> None:
    other = add_intent(database)
    assert open_while_another_opens(database, other, first=attempt) == [Opening.TAKEN]
    assert [row.facebook_id for row in rows(database, RequestSet)] == [7, None]


def test_a_set_in_doubt_is_stuck_with_its_reason_until_it_is_opened(
    database: Database, attempt: Attempt
) -> None:
    with database.writing() as session:
        intents.doubt_set(session, attempt, reason="two of them", look_at=at(900), now=NOW)
    row = the_set(database)
    assert (row.state, row.state_reason, row.look_at) == (intents.STUCK, "two of them", at(900))
    open_set(database, attempt)
    assert (the_set(database).state, the_set(database).state_reason) == (intents.OPEN, None)


def test_an_open_set_is_not_doubted(database: Database, attempt: Attempt) -> None:
    open_set(database, attempt)
    with database.writing() as session:
        intents.doubt_set(session, attempt, reason="two of them", look_at=at(900), now=NOW)
    assert the_set(database).state == intents.OPEN


def hint(database: Database, attempt: Attempt) -> None:
    notify(database, attempt.request_set_id)
    apply_hints(database)


def test_a_refusal_of_a_set_that_has_notified_is_looked_into(
    database: Database, attempt: Attempt
) -> None:
    hint(database, attempt)
    reject(database, attempt)
    assert (the_set(database).state, the_set(database).look_at) == (intents.REJECTED, at(2))


def test_a_doubt_puts_off_no_hint(database: Database, attempt: Attempt) -> None:
    hint(database, attempt)
    with database.writing() as session:
        intents.doubt_set(session, attempt, reason="two of them", look_at=at(900), now=at(3))
    assert the_set(database).look_at == at(3)


def test_a_doubt_without_a_moment_leaves_the_set_due_as_it_was(
    database: Database, attempt: Attempt
) -> None:
    before = the_set(database).look_at
    with database.writing() as session:
        intents.doubt_set(session, attempt, reason="two of them", now=at(3))
    assert the_set(database).look_at == before


def test_a_late_answer_waits_for_the_searcher_and_neither_fails(
    database: Database, attempt: Attempt
) -> None:
    """Both write the found set and the intent: in two orders they would wait for each other."""
    with database.writing() as session:
        intents.leave_unknown(session, attempt, reason="lost", look_at=NOW, now=NOW)
    claimed = must_claim(database)
    results = []
    thread = threading.Thread(target=lambda: results.append(open_set(database, attempt)))
    with database.writing() as session:
        claims.hold(session, claimed, lease_until=at(200))
        thread.start()
        thread.join(0.2)
        intents.open_set(session, attempt, facebook_id=7, first_look_at=at(60), now=NOW)
    thread.join()
    assert results == [Opening.OPEN]
