from __future__ import annotations

from typing import Any

import pytest

from receiver.crypto import Keys
from receiver.lifecycle import listing, step
from receiver.lifecycle.evidence import attempt_in_name, attempt_in_uri
from receiver.store import intents
from receiver.store.intents import Attempt
from receiver.store.models import FoundSet, Look, RequestSet, Submission
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, PUBLIC_URL, SECRET_KEY, House
from tests.support.rows import set_reading

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def create_unknown(house: House, *, exists: bool) -> RequestSet:
    """Create a set whose answer is lost."""
    house.sandbox.trouble("commit_then_drop" if exists else "reset", **CREATE)
    # Two that are alike would be one create while the first has no outcome.
    name = f"A set {len(house.rows(RequestSet))}"
    assert house.create(name=name).status_code == 409
    return house.rows(RequestSet)[-1]


def uri_of(house: House, row: RequestSet, *, host: str = PUBLIC_URL) -> str:
    token = house.parts.keys.sign_token(intent=row.id, attempt=1)
    return f"{host}/notifications/{token}"


def tag_of(house: House, row: RequestSet) -> str:
    return house.parts.keys.tag(house.parts.keys.sign_token(intent=row.id, attempt=1))


def search(house: House, *pages: dict[str, Any]) -> int:
    """Let the due set be looked for on these pages; return how many were read."""
    house.clock.move(22_000)
    with facebook_shows(house.parts.tools, *pages) as (tools, server):
        assert step.advance(tools)
    return len(server.requests)


def test_a_set_that_exists_is_found_by_its_token(house: House) -> None:
    create_unknown(house, exists=True)
    house.clock.move(15)
    house.work()
    row = house.the_set()
    assert (row.state, str(row.facebook_id)) == (
        intents.COLLECTED,
        house.sandbox.ledger()[0]["id"],
    )
    assert [look.kind for look in house.rows(Look)] == ["edge", "set", "requests"]


def test_a_notification_makes_the_search_due_at_once(house: House) -> None:
    create_unknown(house, exists=True)
    house.notify()
    house.work()
    assert house.the_set().state == intents.COLLECTED


def test_a_lost_set_of_an_idle_account_stays_unknown_and_is_never_sent_again(
    house: House,
) -> None:
    row = create_unknown(house, exists=False)
    reason = row.state_reason
    for _ in range(12):
        house.let_time_pass(900)
        assert house.work() == 1
    row = house.the_set()
    assert (row.state, row.quiet_looks) == (intents.UNKNOWN, 12)
    assert "lists no set of ours that was sent later" in (row.state_reason or "")
    assert row.look_at is not None
    assert house.sandbox.ledger() == []
    posts = [call for call in house.sandbox.calls()["calls"] if call["method"] == "POST"]
    assert len(posts) == 1
    (submission,) = house.rows(Submission)
    assert (submission.outcome, submission.error) == (intents.UNKNOWN, reason)


def test_a_search_that_finds_nothing_backs_off(house: House) -> None:
    create_unknown(house, exists=False)
    waits = []
    for _ in range(9):
        house.clock.move(900)
        house.work()
        look_at = house.the_set().look_at
        assert look_at is not None
        waits.append((look_at - house.clock()).total_seconds())
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_one_whose_sender_vanished_is_looked_for_once_the_sender_must_be_gone(
    house: House,
) -> None:
    row = create_unknown(house, exists=True)
    with house.parts.database.writing() as session:
        stored = session.get_one(RequestSet, row.id)
        stored.state, stored.state_reason = intents.SUBMITTING, None
        stored.look_at = house.clock()
        session.get_one(Submission, 1).outcome = intents.SUBMITTING
    house.work()
    assert house.the_set().state == intents.COLLECTED


def test_sets_of_other_people_and_of_other_intents_are_ignored(house: House) -> None:
    row = create_unknown(house, exists=False)
    other = house.parts.keys.sign_token(intent=row.id + 1, attempt=1)
    strangers = Keys(["another-secret-key-of-another-host"])
    forged = strangers.sign_token(intent=row.id, attempt=1)
    search(
        house,
        page(
            [
                {"id": "1", "name": "somebody's"},
                {"id": "2", "notification_uri": "https://elsewhere.example/hook"},
                {"id": "3", "notification_uri": f"{PUBLIC_URL}/notifications/{other}"},
                {"id": "4", "notification_uri": f"{PUBLIC_URL}/notifications/{forged}"},
                {"id": "5", "name": f"A set{strangers.tag(forged)}"},
                {"id": "6", "name": f"A set{tag_of(house, row)} and more"},
                # Somebody copied a set of ours, its name included, and holds other ads in it.
                {
                    "id": "7",
                    "name": f"A{tag_of(house, row)}",
                    "notification_uri": "https://x",
                    "total_count": 9,
                },
            ]
        ),
    )
    assert (house.the_set().state, house.the_set().facebook_id) == (intents.UNKNOWN, None)


def test_what_a_page_shows_of_other_intents_is_opened_too_and_ends_no_search(house: House) -> None:
    other, row = create_unknown(house, exists=False), create_unknown(house, exists=False)
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, other.id).look_at = None
    shown = [
        {"id": "7", "notification_uri": uri_of(house, other)},
        {"id": "8", "notification_uri": uri_of(house, row)},
    ]
    search(house, page(shown))
    assert [one.facebook_id for one in house.rows(RequestSet)] == [7, 8]


def test_the_tag_alone_is_evidence_where_no_uri_is_shown(house: House) -> None:
    row = create_unknown(house, exists=False)
    search(house, page([{"id": "8", "name": f"A set{tag_of(house, row)}"}]))
    assert (house.the_set().state, house.the_set().facebook_id) == (intents.OPEN, 8)


def test_a_token_counts_under_whatever_host(house: House) -> None:
    row = create_unknown(house, exists=False)
    search(house, page([{"id": "8", "notification_uri": uri_of(house, row, host="https://old")}]))
    assert house.the_set().facebook_id == 8


def test_all_pages_are_read_until_the_set_is_found(house: House) -> None:
    row = create_unknown(house, exists=False)
    strangers = [page([{"id": str(n)}], after=f"cursor-{n}") for n in range(1, 6)]
    ours = page([{"id": "8", "notification_uri": uri_of(house, row)}], after="more")
    assert search(house, *strangers, page([], after="after-an-empty-page"), ours) == 7
    assert house.the_set().facebook_id == 8
    look = house.rows(Look)[-1]
    assert (look.kind, look.calls, look.rows) == ("edge", 7, 6)


def test_a_list_that_turns_in_a_circle_is_given_up_and_nothing_is_proved(house: House) -> None:
    create_unknown(house, exists=False)
    assert search(house, page([{"id": "1"}], after="again")) == 2
    row = house.the_set()
    assert row.state == intents.UNKNOWN
    assert "not among the first 2 sets" in (row.state_reason or "")


def test_a_list_that_never_ends_is_given_up_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MAX_PAGES", 5)
    create_unknown(house, exists=False)
    endless = [page([{"id": str(n)}], after=f"cursor-{n}") for n in range(1, 20)]
    assert search(house, *endless) == 5
    assert "not among the first 5 sets" in (house.the_set().state_reason or "")


def test_a_copy_with_the_same_name_and_count_is_for_a_person_to_look_at(house: House) -> None:
    row = create_unknown(house, exists=False)
    copy = {"id": "7", "name": f"A{tag_of(house, row)}", "notification_uri": "https://x"}
    search(house, page([{**copy, "total_count": 2}]))
    stuck = house.the_set()
    assert (stuck.state, stuck.facebook_id) == (intents.STUCK, None)
    assert "another notification_uri: 7" in (stuck.state_reason or "")


def test_a_tag_with_another_count_is_no_evidence(house: House) -> None:
    row = create_unknown(house, exists=False)
    search(house, page([{"id": "8", "name": f"A{tag_of(house, row)}", "total_count": 3}]))
    assert (house.the_set().state, house.the_set().facebook_id) == (intents.UNKNOWN, None)


def test_one_search_finds_every_open_question_of_its_account(house: House) -> None:
    for _ in range(5):
        create_unknown(house, exists=True)
    house.clock.move(20)
    assert step.advance(house.parts.tools)
    assert {row.state for row in house.rows(RequestSet)} == {intents.OPEN}
    assert [look.calls for look in house.rows(Look)] == [1, 0, 0, 0, 0]


def test_a_search_that_fails_lets_go_of_all_that_it_was_made_for(house: House) -> None:
    for _ in range(3):
        create_unknown(house, exists=True)
    house.clock.move(20)
    house.sandbox.trouble("graph_error", code=100, path=f"act_{ACCOUNT}/asyncadrequestsets$")
    assert step.advance(house.parts.tools)
    assert {row.lease_token for row in house.rows(RequestSet)} == {None}
    house.clock.move(100)
    house.work()
    assert {row.state for row in house.rows(RequestSet)} == {intents.COLLECTED}


def test_the_set_that_a_notification_names_is_read_back_at_once(house: House) -> None:
    create_unknown(house, exists=True)
    house.sandbox.configure(f"act_{ACCOUNT}", edge={"stale_seconds": 3600})
    house.notify()
    house.work()
    assert house.the_set().state == intents.COLLECTED
    assert [look.kind for look in house.rows(Look)] == ["set", "set", "requests"]


def test_a_notification_that_names_another_set_opens_nothing(house: House) -> None:
    other = house.create_open()
    row = create_unknown(house, exists=False)
    path = uri_of(house, row).removeprefix(PUBLIC_URL)
    assert house.client.post(path, data={"id": other}).status_code == 200
    house.work()
    assert house.rows(RequestSet)[-1].state == intents.UNKNOWN


def test_a_notification_that_names_what_does_not_exist_opens_nothing(house: House) -> None:
    row = create_unknown(house, exists=False)
    path = uri_of(house, row).removeprefix(PUBLIC_URL)
    assert house.client.post(path, json={"id": "987654321"}).status_code == 200
    house.work()
    assert house.the_set().state == intents.UNKNOWN
    assert [look.kind for look in house.rows(Look)] == ["edge"]


def test_a_found_set_that_another_intent_holds_is_not_taken(house: House) -> None:
    first = int(house.create_open())
    house.work()
    row = create_unknown(house, exists=False)
    search(house, page([{"id": str(first), "notification_uri": uri_of(house, row)}]))
    assert [one.facebook_id for one in house.rows(RequestSet)] == [first, None]
    stuck = house.rows(RequestSet)[-1]
    assert (stuck.state, stuck.look_at is None) == (intents.STUCK, False)
    assert f"gave the id {first}, and another set has it" in (stuck.state_reason or "")


def test_two_sets_of_one_create_are_both_kept_and_a_person_is_asked(house: House) -> None:
    row = create_unknown(house, exists=False)
    uri = uri_of(house, row)
    both = page([{"id": "8", "notification_uri": uri}, {"id": "9", "notification_uri": uri}])
    search(house, both)
    stuck = house.the_set()
    assert (stuck.state, stuck.facebook_id) == (intents.STUCK, None)
    assert "2 sets of this create: 8, 9" in (stuck.state_reason or "")
    assert [found.facebook_id for found in house.rows(FoundSet)] == [8, 9]
    assert stuck.look_at is not None


def test_a_stuck_set_opens_by_itself_when_one_of_its_two_is_gone(house: House) -> None:
    row = create_unknown(house, exists=False)
    uri = uri_of(house, row)
    search(
        house, page([{"id": "8", "notification_uri": uri}, {"id": "9", "notification_uri": uri}])
    )
    search(house, page([{"id": "9", "notification_uri": uri}]))
    assert (house.the_set().state, house.the_set().facebook_id) == (intents.OPEN, 9)
    assert house.the_set().state_reason is None


def test_a_stuck_set_keeps_its_reason_while_nothing_is_found(house: House) -> None:
    row = create_unknown(house, exists=False)
    uri = uri_of(house, row)
    search(
        house, page([{"id": "8", "notification_uri": uri}, {"id": "9", "notification_uri": uri}])
    )
    search(house, page([]))
    stuck = house.the_set()
    assert stuck.state == intents.STUCK
    assert "2 sets of this create" in (stuck.state_reason or "")


def reject(house: House, *, effect: str | None = None) -> RequestSet:
    """Let Facebook refuse a create; with the effect ``before``, it made the set all the same."""
    rule = {} if effect is None else {"effect": effect}
    house.sandbox.trouble("graph_error", code=100, **CREATE, **rule)
    assert house.create().status_code == 400
    return house.rows(RequestSet)[-1]


def test_a_rejected_set_that_notifies_is_found_and_collected(house: House) -> None:
    assert reject(house, effect="before").look_at is None
    house.notify()
    house.work()
    row = house.the_set()
    assert (row.state, row.verdict) == (intents.COLLECTED, "delivered")


def test_a_rejected_set_that_a_stranger_notifies_is_searched_for_a_while_only(
    house: House,
) -> None:
    row = reject(house)
    path = uri_of(house, row).removeprefix(PUBLIC_URL)
    assert house.client.post(path).status_code == 200
    steps = 0
    for _ in range(40):
        steps += house.work()
        house.clock.move(1000)
    after = house.the_set()
    assert steps == 8
    assert (after.state, after.look_at) == (intents.REJECTED, None)
    assert (after.state_reason, after.error_body) == (row.state_reason, row.error_body)
    assert house.sandbox.ledger() == []


def test_the_calls_of_a_search_that_fails_are_counted(house: House) -> None:
    create_unknown(house, exists=False)
    search(house, page([{"id": "1"}], after="more"), {"error": {"code": 100, "message": "no"}})
    (look,) = house.rows(Look)
    assert (look.error_code, look.calls) == (100, 2)


def test_an_error_during_the_search_is_kept_and_the_search_goes_on(house: House) -> None:
    create_unknown(house, exists=True)
    house.clock.move(15)
    house.sandbox.trouble("graph_error", code=100, path=f"act_{ACCOUNT}/asyncadrequestsets$")
    house.work()
    assert house.the_set().state == intents.UNKNOWN
    assert [look.error_code for look in house.rows(Look)] == [100]
    house.clock.move(900)
    house.work()
    assert house.the_set().state == intents.COLLECTED


@pytest.mark.parametrize("attempt", [1, 7])
def test_what_a_set_names_is_parsed_and_not_recomputed(attempt: int) -> None:
    newest, oldest = Keys(["n" * 32, SECRET_KEY]), Keys([SECRET_KEY])
    token = oldest.sign_token(intent=5, attempt=attempt)
    named = Attempt(5, number=attempt)
    by_uri = set_reading(notification_uri=f"https://any/prefix/notifications/{token}?x=1")
    assert attempt_in_uri(newest, by_uri) == named
    assert attempt_in_name(newest, set_reading(name=f"name{oldest.tag(token)}")) == named
    assert attempt_in_uri(newest, set_reading()) is None
    assert attempt_in_name(newest, set_reading()) is None
