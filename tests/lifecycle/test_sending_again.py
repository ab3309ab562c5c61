"""What is proved to be lost is sent again, once; what may exist is not."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

import pytest

from receiver.graph.client import GraphClient
from receiver.lifecycle import plan, step
from receiver.lifecycle.recheck import recheck_next
from receiver.lifecycle.submit import submit_again
from receiver.store import intents, repeats
from receiver.store.claims import LeaseLost
from receiver.store.models import FoundSet, RequestSet, Submission
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House, ad, add_account

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}
TRY_INTERVAL_SECONDS = 450


def lose(house: House, *, kind: str = "reset", name: str = "lost") -> RequestSet:
    """Create a set whose answer is lost; with ``reset`` it was not made."""
    house.sandbox.trouble(kind, **CREATE)
    assert house.create([ad(name)]).status_code == 409
    house.let_time_pass(1)
    return house.rows(RequestSet)[-1]


def settle(house: House, *, times: int = 4) -> None:
    """Let the time pass that a proof of absence takes, and the work be done meanwhile."""
    for _ in range(times):
        house.let_time_pass(TRY_INTERVAL_SECONDS)
        house.work()


def the_lost(house: House) -> RequestSet:
    return house.rows(RequestSet)[0]


def names(house: House) -> list[str]:
    return house.sandbox.set_names()


def test_a_create_that_was_lost_is_sent_again_once_its_absence_is_proved(house: House) -> None:
    row = lose(house)
    witness = house.create_open(name="witness")
    settle(house)
    again = the_lost(house)
    assert (again.state, again.attempt) == (intents.COLLECTED, 2)
    assert names(house) == ["witness", "A set"]
    outcomes = [(one.request_set_id, one.attempt, one.outcome) for one in house.rows(Submission)]
    assert outcomes == [(row.id, 1, "absent"), (row.id + 1, 1, "open"), (row.id, 2, "open")]
    assert str(again.facebook_id) != witness


def test_its_second_attempt_names_itself_in_the_uri_and_in_the_name(house: House) -> None:
    row = lose(house)
    house.create_open(name="witness")
    settle(house)
    entry = house.sandbox.ledger()[-1]
    token = house.parts.keys.token_in_uri(entry["notification_uri"])
    tag = house.parts.keys.parse_tag(entry["name"])
    assert token is not None
    assert tag is not None
    assert (token.intent, token.attempt, tag.intent, tag.attempt) == (row.id, 2, row.id, 2)


def test_one_that_exists_is_found_and_never_sent_again(house: House) -> None:
    lose(house, kind="commit_then_drop")
    house.create_open(name="witness")
    settle(house)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.COLLECTED, 1)
    assert len(names(house)) == 2


def test_nothing_is_sent_again_before_facebooks_own_clock_says_so(house: House) -> None:
    """Ours may jump by a day: what counts is the time between two of Facebook's answers."""
    lose(house)
    house.create_open(name="witness")
    for _ in range(8):
        house.clock.move(86_400 / 4)
        house.work()
    assert (the_lost(house).attempt, names(house)) == (1, ["witness"])


def test_nothing_is_sent_again_while_the_list_may_be_old(house: House) -> None:
    lose(house)
    settle(house, times=8)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.UNKNOWN, 1)
    house.create_open(name="witness")
    settle(house)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.COLLECTED, 2)


def test_a_witness_is_done_without_where_the_operator_allows_it(house: House) -> None:
    lose(house)
    pace = house.parts.tools.pace
    object.__setattr__(pace, "needs_witness", False)
    settle(house)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.COLLECTED, 2)


@pytest.mark.parametrize(
    "edge",
    [
        {"order": "oldest_first"},
        {"order": "newest_first"},
        {"order": "random", "seed": 3},
        {"stale_seconds": 60},
        {"uris": "hidden"},
        {"uris": "rewritten"},
    ],
)
def test_however_the_edge_lists_nothing_is_doubled(house: House, edge: dict[str, Any]) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", edge=edge)
    for number in range(6):
        lose(house, kind="reset" if number % 2 else "commit_then_drop", name=f"lost {number}")
    house.create_open(name="witness")
    settle(house, times=6)
    made = [one["intent"] for one in ledger(house)]
    assert len(made) == len(set(made))
    states = {row.state for row in house.rows(RequestSet)}
    # Where no URI is shown, nothing can be proved to be absent: it is asked for, never sent again.
    hidden = {intents.COLLECTED, intents.UNKNOWN}
    assert states == (hidden if edge.get("uris") == "hidden" else {intents.COLLECTED})
    assert len(made) == (4 if edge.get("uris") == "hidden" else 7)


def ledger(house: House) -> list[dict[str, Any]]:
    """The sets that exist, with the intents that their true URIs name."""
    found = []
    for entry in house.sandbox.ledger():
        token = house.parts.keys.token_in_uri(entry["notification_uri"])
        found.append({**entry, "intent": None if token is None else token.intent})
    return found


def test_a_search_with_another_credential_proves_nothing(house: House) -> None:
    """A set is looked for with the token that sent it: another one may not see it."""
    row = lose(house)
    add_account(house.parts, 4711, token="another-token")  # nobody's
    with house.parts.database.writing() as session:
        session.get_one(Submission, 1).credential_id = 2
    house.sandbox.token("another-token", accounts=["act_4711"])
    house.create_open(name="witness")
    settle(house)
    assert (the_lost(house).id, the_lost(house).state) == (row.id, intents.UNKNOWN)
    assert names(house) == ["witness"]


def test_a_notification_keeps_a_create_from_being_sent_again(house: House) -> None:
    """Whoever knows the URL was told it by Facebook: something may be there."""
    row = lose(house)
    house.create_open(name="witness")
    token = house.parts.keys.sign_token(intent=row.id, attempt=1)
    assert house.client.post(f"/notifications/{token}").status_code == 200
    settle(house, times=6)
    assert (the_lost(house).state, names(house)) == (intents.UNKNOWN, ["witness"])
    assert "A notification of it came" in (the_lost(house).state_reason or "")


def prove_absent(house: House) -> None:
    """Let the absence of the first set be proved, and no more."""
    lose(house)
    house.create_open(name="witness")
    for _ in range(20):
        house.let_time_pass(300)
        while the_lost(house).absent_at is None and step.advance(house.parts.tools):
            pass
        if the_lost(house).absent_at is not None:
            return
    raise AssertionError("Its absence was not proved")


def test_a_notification_between_proof_and_sending_is_in_time(house: House) -> None:
    prove_absent(house)
    token = house.parts.keys.sign_token(intent=the_lost(house).id, attempt=1)
    assert house.client.post(f"/notifications/{token}").status_code == 200
    settle(house)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.UNKNOWN, 1)


def test_a_notification_after_the_claim_is_in_time_too(house: House) -> None:
    prove_absent(house)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    assert claim.may_be_sent_again
    token = house.parts.keys.sign_token(intent=claim.request_set_id, attempt=1)
    assert house.client.post(f"/notifications/{token}").status_code == 200
    step.apply_hints(house.parts.tools)
    with pytest.raises(LeaseLost):
        submit_again(house.parts.tools, claim)
    assert names(house) == ["witness"]


def test_a_late_answer_between_proof_and_sending_opens_the_set(house: House) -> None:
    prove_absent(house)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    attempt = intents.Attempt(claim.request_set_id, number=1)
    with house.parts.database.writing() as session:
        intents.open_set(
            session,
            attempt,
            facebook_id=4711,
            first_look_at=house.clock(),
            now=house.clock(),
        )
    with pytest.raises(LeaseLost):
        submit_again(house.parts.tools, claim)
    assert (the_lost(house).state, the_lost(house).facebook_id) == (intents.OPEN, 4711)


def test_two_workers_send_it_again_once(house: House) -> None:
    prove_absent(house)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    done: list[bool] = []

    def send() -> None:
        try:
            submit_again(house.parts.tools, claim)
            done.append(True)
        except LeaseLost:
            done.append(False)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert names(house) == ["witness", "A set"]


def test_one_whose_second_attempt_is_lost_too_is_proved_absent_once_more(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    house.sandbox.trouble("reset", **CREATE)
    settle(house, times=5)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.UNKNOWN, 2)
    house.create_open(name="second witness")
    settle(house, times=5)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.COLLECTED, 3)
    assert len(names(house)) == 3


@pytest.mark.parametrize(
    ("code", "ends"), [(17, intents.COLLECTED), (190, intents.COLLECTED), (100, intents.REJECTED)]
)
def test_a_refusal_ends_it_only_where_it_would_always_come(
    house: House, code: int, ends: str
) -> None:
    """Its caller was told that the receiver sees to it: a limit or an old token may pass."""
    lose(house)
    house.create_open(name="witness")
    house.sandbox.trouble("graph_error", code=code, **CREATE)
    settle(house, times=4)
    if code == 190:
        # Nothing is asked with a token that is out of date, until it is replaced.
        assert the_lost(house).state == intents.UNKNOWN
        house.replace_token()
    settle(house, times=4)
    assert the_lost(house).state == ends
    assert len(names(house)) == (2 if ends == intents.COLLECTED else 1)


def test_a_crash_after_the_second_row_and_before_the_call_sends_nothing_twice(
    house: House,
) -> None:
    prove_absent(house)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    with (
        mock.patch.object(GraphClient, "create_request_set", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        submit_again(house.parts.tools, claim)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.SUBMITTING, 2)
    house.let_time_pass(plan_gone_seconds(house))
    house.create_open(name="second witness")
    settle(house, times=5)
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.COLLECTED, 3)
    assert len(names(house)) == 3


def plan_gone_seconds(house: House) -> float:
    now = house.clock()
    return (plan.sender_is_gone(house.parts.tools.pace, now=now) - now).total_seconds()


def test_nothing_is_sent_after_its_moment_has_passed(house: House) -> None:
    prove_absent(house)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    moments = iter([0.0, 0.0])
    tools = house.parts.tools
    # The moment to send was in the distant past of the monotonic clock.
    object.__setattr__(tools, "monotonic", lambda: next(moments) - 10**6)
    submit_again(tools, claim)
    assert names(house) == ["witness"]
    assert (the_lost(house).state, the_lost(house).attempt) == (intents.UNKNOWN, 2)
    assert the_lost(house).absent_at is not None


def test_a_spent_budget_of_days_asks_a_person_and_goes_on_looking(house: House) -> None:
    lose(house)
    house.let_time_pass(4 * 86_400)
    house.work()
    row = the_lost(house)
    assert (row.state, row.look_at is None) == (intents.STUCK, False)
    assert "receiver set adopt" in (row.state_reason or "")


def test_what_was_sent_twice_is_looked_for_again_after_an_hour_and_a_day(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    settle(house)
    row = the_lost(house)
    assert row.opened_at is not None
    assert row.recheck_at is not None
    assert (row.recheck_at - row.opened_at).total_seconds() == 3600
    assert not recheck_next(house.parts.tools)
    house.let_time_pass(3600)
    assert recheck_next(house.parts.tools)
    again = the_lost(house).recheck_at
    assert again is not None
    assert (again - row.opened_at).total_seconds() == 86_400
    house.let_time_pass(86_400)
    assert recheck_next(house.parts.tools)
    assert the_lost(house).recheck_at is None
    assert len(house.rows(FoundSet)) == 2


def test_a_recheck_keeps_a_second_set_that_came_late(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    settle(house)
    row = the_lost(house)
    uris = [
        f"https://r/notifications/{house.parts.keys.sign_token(intent=row.id, attempt=number)}"
        for number in (1, 2)
    ]
    house.let_time_pass(3600)
    late = page([{"id": str(50 + n), "notification_uri": uri} for n, uri in enumerate(uris)])
    with facebook_shows(house.parts.tools, late) as (tools, _):
        assert recheck_next(tools)
    found = [one.facebook_id for one in house.rows(FoundSet) if one.request_set_id == row.id]
    assert found == sorted([50, 51, row.facebook_id or 0])


def test_a_recheck_that_fails_is_made_later(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    settle(house)
    house.let_time_pass(3600)
    house.sandbox.trouble("graph_error", code=100, path=f"act_{ACCOUNT}/asyncadrequestsets$")
    assert recheck_next(house.parts.tools)
    recheck_at = the_lost(house).recheck_at
    assert recheck_at is not None
    assert (recheck_at - house.clock()).total_seconds() == 900


def test_what_a_person_gave_up_is_never_sent_again(house: House) -> None:
    row = lose(house)
    house.create_open(name="witness")
    with house.parts.database.writing() as session:
        assert repeats.abandon(session, row.id, reason="gone", now=house.clock())
    settle(house, times=6)
    given_up = the_lost(house)
    assert (given_up.state, given_up.look_at) == (intents.REJECTED, None)
    assert names(house) == ["witness"]


def test_what_a_person_gave_up_opens_when_facebook_notifies_of_it(house: House) -> None:
    row = lose(house, kind="commit_then_drop")
    with house.parts.database.writing() as session:
        assert repeats.abandon(session, row.id, reason="gone", now=house.clock())
    house.notify()
    house.work()
    assert the_lost(house).state == intents.COLLECTED


def test_an_open_set_cannot_be_given_up(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        assert not repeats.abandon(session, 1, reason="gone", now=house.clock())


def test_a_set_from_the_first_time_opens_what_was_refused_the_second_time(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    settle(house)
    refused = the_lost(house)
    assert (refused.state, refused.attempt) == (intents.REJECTED, 2)
    house.let_time_pass(3600)
    token = house.parts.keys.sign_token(intent=refused.id, attempt=1)
    late = page([{"id": "50", "notification_uri": f"https://r/notifications/{token}"}])
    with facebook_shows(house.parts.tools, late) as (tools, _):
        assert recheck_next(tools)
    opened = the_lost(house)
    assert (opened.state, opened.facebook_id, opened.state_reason) == (intents.OPEN, 50, None)
    assert opened.doubled_at is None


def test_what_was_refused_the_second_time_is_looked_for_twice(house: House) -> None:
    lose(house)
    house.create_open(name="witness")
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    settle(house)
    for seconds in (3600, 86_400):
        house.let_time_pass(seconds)
        assert recheck_next(house.parts.tools)
    refused = the_lost(house)
    assert (refused.state, refused.recheck_at) == (intents.REJECTED, None)
