from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from receiver.lifecycle import pages as reading
from receiver.lifecycle import step
from receiver.store import intents
from receiver.store.models import Look, Request
from receiver.store.types import MAX_ID
from tests.support.facebook import JSON, client_of, facebook_shows, page
from tests.support.house import ACCOUNT, House, ad
from tests.support.lying_server import answering, http_answer, lying_server


def requests_by_id(house: House) -> dict[str, tuple[str, Any]]:
    return {
        str(row.id): (row.status, None if row.result is None else json.loads(row.result))
        for row in house.rows(Request)
    }


def collect(house: House, *pages: dict[str, Any], total_count: int | None) -> None:
    """Let the one set be looked at where Facebook shows it complete, and these pages."""
    house.clock.move(2000)
    shown = {"id": str(house.the_set().facebook_id), "is_completed": True}
    if total_count is not None:
        shown["total_count"] = total_count
    with facebook_shows(house.parts.tools, shown, *pages) as (tools, _):
        assert step.advance(tools)


def done(number: int, **shown: Any) -> dict[str, Any]:
    return {"id": str(number), "status": "SUCCESS", "result": {"id": str(number + 1)}, **shown}


def test_what_is_in_sql_is_what_facebook_has(house: House) -> None:
    house.create_open([ad(f"will fail {n}" if n % 3 else f"fine {n}") for n in range(20)])
    house.notify()
    house.work()
    (entry,) = house.sandbox.ledger()
    assert requests_by_id(house) == {
        one["id"]: (one["status"], one["result"]) for one in entry["requests"]
    }
    failed = [row for row in house.rows(Request) if row.status == "ERROR"]
    assert all(row.error_code and row.error_message for row in failed)
    succeeded = [row for row in house.rows(Request) if row.status == "SUCCESS"]
    assert all(row.created_object_id and row.scope_object_id and row.input for row in succeeded)


def test_a_large_set_comes_in_pages_of_five_hundred(house: House) -> None:
    house.create_open([ad(f"ad {number}") for number in range(1000)])
    house.notify()
    house.work()
    assert (house.the_set().state, len(house.rows(Request))) == (intents.COLLECTED, 1000)
    look = house.rows(Look)[-1]
    # The first page came with the set itself.
    assert (look.kind, look.rows, look.calls) == ("requests", 1000, 1)


def test_collecting_again_changes_nothing(house: House) -> None:
    house.create_open()
    shown = page([done(1), done(2)])
    collect(house, shown, total_count=3)
    before = requests_by_id(house)
    collect(house, shown, total_count=3)
    assert requests_by_id(house) == before


@pytest.mark.parametrize(
    ("total_count", "reason"),
    [
        (3, "Facebook counts 3 requests of 2 that were sent."),
        (1, "Facebook counts 1 requests of 2 that were sent."),
        (0, "Facebook counts 0 requests of 2 that were sent."),
        (None, "Facebook does not say how many requests the set has."),
    ],
)
def test_a_set_whose_count_does_not_fit_is_not_collected(
    house: House, total_count: int | None, reason: str
) -> None:
    house.create_open()
    collect(house, page([done(1), done(2)]), total_count=total_count)
    row = house.the_set()
    assert (row.state, row.state_reason) == (intents.COMPLETED, reason)
    assert row.look_at is not None
    collect(house, page([done(1), done(2)]), total_count=2)
    assert (house.the_set().state, house.the_set().state_reason) == (intents.COLLECTED, None)


@pytest.mark.parametrize("rows", [[], [1], [1, 2, 3]], ids=len)
def test_a_set_of_which_facebook_shows_too_few_or_too_many_is_not_collected(
    house: House, rows: list[int]
) -> None:
    house.create_open()
    collect(house, page([done(number) for number in rows]), total_count=2)
    row = house.the_set()
    reason = f"Facebook showed {len(rows)} of 2 requests."
    assert (row.state, row.state_reason) == (intents.COMPLETED, reason)
    assert row.look_at is not None


def test_an_empty_set_that_claims_to_be_complete_is_not_collected(house: House) -> None:
    house.create_open()
    collect(house, page([]), total_count=0)
    assert house.the_set().state == intents.COMPLETED
    assert house.the_set().look_at is not None


def test_a_status_that_nobody_knows_is_kept_and_not_final(house: House) -> None:
    house.create_open()
    collect(house, page([done(1), done(2, status="SHINY_NEW")]), total_count=2)
    row = house.the_set()
    assert (row.state, row.state_reason) == (
        intents.COMPLETED,
        "1 requests have no final status yet: nobody knows SHINY_NEW.",
    )
    assert requests_by_id(house)["2"][0] == "SHINY_NEW"
    collect(house, page([done(1), done(2)]), total_count=2)
    assert house.the_set().state == intents.COLLECTED


def test_hostile_texts_are_stored_on_every_database(house: House) -> None:
    house.create_open()
    hostile = "\x00 \ud800 \udfff ' \" \\ \U0001f600"
    error = {"error_code": 100, "error_message": hostile}
    spec = {"adgroup_spec": {hostile: [hostile, 1e300, -0.0]}}
    collect(
        house,
        page([done(1, status="ERROR", result=error, input=spec), done(MAX_ID)]),
        total_count=2,
    )
    assert house.the_set().state == intents.COLLECTED
    first, last = house.rows(Request)
    assert last.id == MAX_ID
    assert json.loads(first.result or b"") == error
    assert json.loads(first.input or b"") == spec
    assert first.error_message == "\ufffd \ufffd \ufffd ' \" \\ \U0001f600"


@pytest.mark.parametrize(
    "unreadable",
    [{"id": "0", "status": "SUCCESS"}, {"id": str(2**63), "status": "SUCCESS"}, {"id": "3"}, 7],
    ids=str,
)
def test_a_request_that_cannot_be_read_keeps_the_set_open_and_stops_no_other(
    house: House, unreadable: Any
) -> None:
    house.create_open()
    collect(house, page([done(1), unreadable, done(5)]), total_count=2)
    row = house.the_set()
    assert (row.state, sorted(requests_by_id(house))) == (intents.COMPLETED, ["1", "5"])
    assert row.state_reason == "1 of the requests that Facebook showed cannot be stored."


@pytest.mark.parametrize("cursor_moves", [False, True])
def test_a_cursor_that_never_ends_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch, *, cursor_moves: bool
) -> None:
    monkeypatch.setattr(reading, "_MAX_PAGES", 20)
    house.create_open()
    if cursor_moves:
        pages = [page([done(1)], after=f"cursor-{number}") for number in range(30)]
    else:
        pages = [page([done(1)], after="again")]
    collect(house, *pages, total_count=2)
    row = house.the_set()
    assert (row.state, row.state_reason) == (
        intents.COMPLETED,
        "Facebook showed 1 of 2 requests.",
    )
    assert house.rows(Look)[-1].calls == (20 if cursor_moves else 2)


def test_an_empty_page_in_the_middle_does_not_end_the_list(house: House) -> None:
    house.create_open()
    pages = [page([done(1)], after="one"), page([], after="two"), page([done(2)])]
    collect(house, *pages, total_count=2)
    assert house.the_set().state == intents.COLLECTED


def test_an_error_in_the_middle_keeps_what_came_and_the_rest_comes_later(house: House) -> None:
    house.create_open()
    error = {"error": {"code": 100, "message": "Unsupported get request."}}
    collect(house, page([done(1)], after="one"), error, total_count=2)
    row = house.the_set()
    assert (row.state, list(requests_by_id(house))) == (intents.COMPLETED, ["1"])
    assert (row.lease_token, row.state_reason) == (
        None,
        "Unsupported get request. (code 100, HTTP 200)",
    )
    look = house.rows(Look)[-1]
    assert (look.kind, look.calls, look.error_code) == ("requests", 2, 100)
    collect(house, page([done(1), done(2)]), total_count=2)
    assert house.the_set().state == intents.COLLECTED


def test_a_request_of_another_set_is_not_taken_over(house: House) -> None:
    house.create_open([ad("one")])
    house.notify()
    house.work()
    first = house.the_set()
    (theirs,) = house.rows(Request)
    house.create_open([ad("two")])
    second = house.rows(type(first))[-1]
    house.clock.move(60)
    shown = {"id": str(second.facebook_id), "is_completed": True, "total_count": 1}
    lie = page([done(theirs.id, result={"id": "666"})])
    with facebook_shows(house.parts.tools, shown, lie) as (tools, _):
        step.advance(tools)
    assert house.rows(Request)[0].result == theirs.result
    assert house.rows(type(first))[-1].state == intents.COMPLETED
    assert house.rows(type(first))[-1].account_id == ACCOUNT


def test_a_value_too_deep_to_be_written_costs_its_own_place_only(house: House) -> None:
    house.create_open([ad("one")])
    row = done(1, input=0, status="ERROR", result={"error_code": 100})
    text = json.dumps(page([row])).replace('"input": 0', f'"input": {"[" * 990}1{"]" * 990}')
    house.clock.move(2000)
    shown = json.dumps(
        {"id": str(house.the_set().facebook_id), "is_completed": True, "total_count": 1}
    )
    answers = [http_answer(one.encode(), headers=JSON) for one in (shown, text)]
    with lying_server(answering(*answers)) as server, closing(client_of(server.url)) as client:
        assert step.advance(replace(house.parts.tools, client=client))
    (kept,) = house.rows(Request)
    assert (kept.status, kept.error_code) == ("ERROR", 100)
    assert json.loads(kept.input or b"") == "(nested too deeply to be kept)"
    assert house.the_set().state == intents.COLLECTED
