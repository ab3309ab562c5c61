"""Sets whose requests Facebook shows only a few at a time, and does not say so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from receiver.lifecycle.refresh import refresh
from receiver.store import changes, intents
from receiver.store.models import Account, RequestSet
from tests.lifecycle.test_collecting_trouble import (
    Answer,
    Lie,
    complete_sets,
    facebook_that_lies,
    states,
    work_for_hours,
)
from tests.support.house import ACCOUNT, TOKEN, House
from tests.support.sandbox import GraphCaller

MOST = 5
"""So many requests of a set are shown at once."""

LONGER_THAN_IS_WAITED_SECONDS = 1.2


def late(answer: Answer) -> Answer:
    time.sleep(LONGER_THAN_IS_WAITED_SECONDS)
    return answer


def gateway_time_out(_: Answer) -> Answer:
    return 504, b"<html>Gateway time-out</html>"


def service_unavailable(_: Answer) -> Answer:
    error = {"code": 2, "message": "Service temporarily unavailable"}
    return 500, json.dumps({"error": error}).encode()


FAILURES = [late, gateway_time_out, service_unavailable]
Failure = Callable[[Answer], Answer]


def asked_of(path: str) -> int:
    """How many requests a call asks for at the most."""
    query = parse_qs(urlsplit(path).query)
    if "limit" in query:
        return int(query["limit"][0])
    _, is_with_requests, limit = query.get("fields", [""])[0].partition("requests.limit(")
    return int(limit.partition(")")[0]) if is_with_requests else 0


def failing_above(most: int, fail: Failure, *, of: str = "") -> Lie:
    """Fail each call that asks for more requests of a set, or of any, than so many."""

    def lie(asked: list[str], answer: Answer) -> Answer:
        is_much = any(of in path and asked_of(path) > most for path in asked)
        return fail(answer) if is_much else answer

    return lie


def page_limits(house: House) -> list[int | None]:
    return [row.page_limit for row in house.rows(RequestSet)]


@pytest.mark.parametrize("fail", FAILURES)
@pytest.mark.parametrize("expands", [True, False])
def test_a_set_of_which_few_requests_are_shown_at_once_is_collected(
    house: House,
    expands: bool,  # noqa: FBT001  # a parameter of the test
    fail: Failure,
) -> None:
    if not expands:
        house.without_expansion()
    complete_sets(house, 1, ads=8 * MOST)
    with facebook_that_lies(house, failing_above(MOST, fail)):
        work_for_hours(house, 1)
    assert states(house) == [intents.COLLECTED]
    # A look tries half as many, and leaves a quarter to the next one.
    assert page_limits(house) == [2 * MOST]


def test_who_reads_such_a_set_again_and_again_does_not_keep_it_from_being_collected(
    house: House,
) -> None:
    complete_sets(house, 1, ads=8 * MOST)
    with facebook_that_lies(house, failing_above(MOST, gateway_time_out)):
        for _ in range(6):
            refresh(house.parts.tools, house.the_set().id, read_before=None, with_requests=True)
            house.let_time_pass(10)
    assert states(house) == [intents.COLLECTED]


def test_a_set_whose_later_pages_are_late_is_collected(house: House) -> None:
    complete_sets(house, 1, ads=600)

    def lie(asked: list[str], answer: Answer) -> Answer:
        is_late = any("after=" in path and asked_of(path) > 250 for path in asked)
        return late(answer) if is_late else answer

    with facebook_that_lies(house, lie):
        work_for_hours(house, 3)
    assert states(house) == [intents.COLLECTED]


def test_sets_that_go_well_do_not_undo_what_one_beside_them_needs(house: House) -> None:
    heavy = complete_sets(house, 1, ads=8 * MOST)[0]
    with facebook_that_lies(house, failing_above(MOST, gateway_time_out, of=heavy)):
        for _ in range(16):
            for _ in range(3):
                set_id = house.create_open(name="one that goes well")
                house.sandbox.complete(set_id)
                house.notify(set_id)
                house.let_time_pass(300)
                house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert [one for one in page_limits(house) if one is not None] == [2 * MOST]
    assert house.rows(Account)[0].page_limit is None


def test_a_set_with_more_pages_than_there_are_points_is_read_on_where_it_was_left(
    house: House,
) -> None:
    complete_sets(house.without_expansion(), 1, ads=120)
    tier = "development_access"
    house.sandbox.configure(f"act_{ACCOUNT}", limits={"tier": tier, "enforced": True})
    with house.parts.database.writing() as session:
        session.execute(update(Account).values(tier=tier))
        session.execute(update(RequestSet).values(page_limit=1))
    work_for_hours(house, 1)
    assert states(house) == [intents.COLLECTED]
    pages = [one for one in house.sandbox.calls()["calls"] if "/requests" in one["path"]]
    assert len(pages) <= 120 + 3
    assert house.the_set().page_after is None


def test_a_place_that_facebook_forgot_is_not_asked_for_again(house: House) -> None:
    complete_sets(house.without_expansion(), 1)
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(page_after="forgotten"))

    def lie(asked: list[str], answer: Answer) -> Answer:
        is_place = any("after=forgotten" in path for path in asked)
        return service_unavailable(answer) if is_place else answer

    with facebook_that_lies(house, lie):
        work_for_hours(house, 1)
    assert states(house) == [intents.COLLECTED]


def test_what_a_kept_place_passes_by_is_read_after_all(house: House) -> None:
    set_id = complete_sets(house.without_expansion(), 1, ads=3)[0]
    caller = GraphCaller(house.sandbox.url, token=TOKEN)
    with caller.session:
        first = caller.get(f"/{set_id}/requests", limit=1)
    with house.parts.database.writing() as session:
        after = first["paging"]["cursors"]["after"]
        session.execute(update(RequestSet).values(page_after=after))
    house.work()
    assert house.the_set().state_reason == "Facebook showed 2 of 3 requests."
    work_for_hours(house, 1)
    assert states(house) == [intents.COLLECTED]


@pytest.mark.parametrize("fail", [gateway_time_out, service_unavailable])
def test_a_facebook_that_is_out_of_order_makes_no_sets_pages_shorter(
    house: House, fail: Failure
) -> None:
    complete_sets(house, 3)
    with facebook_that_lies(house, lambda _, answer: fail(answer)):
        work_for_hours(house, 6)
    assert page_limits(house) == [None] * 3
    work_for_hours(house, 1)
    assert set(states(house)) == {intents.COLLECTED}


@pytest.mark.parametrize("fail", [gateway_time_out, service_unavailable])
def test_requests_that_are_out_of_order_make_no_sets_pages_shorter(
    house: House, fail: Failure
) -> None:
    complete_sets(house, 3, ads=8)
    with facebook_that_lies(house, failing_above(0, fail)):
        work_for_hours(house, 6)
    assert page_limits(house) == [None] * 3
    work_for_hours(house, 1)
    assert set(states(house)) == {intents.COLLECTED}


def test_a_page_that_fails_once_delays_nothing(house: House) -> None:
    complete_sets(house.without_expansion(), 1, ads=8)
    failures = [gateway_time_out]

    def lie(asked: list[str], answer: Answer) -> Answer:
        is_page = any("/requests" in path for path in asked)
        return failures.pop()(answer) if is_page and failures else answer

    with facebook_that_lies(house, lie):
        house.work()
    assert failures == []
    assert states(house) == [intents.COLLECTED]


def test_a_set_that_is_collected_again_is_read_from_its_first_page(house: House) -> None:
    complete_sets(house.without_expansion(), 1)
    house.work()
    number = house.the_set().id
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(page_after="of another time"))
        assert changes.collect_again(session, number, now=house.clock())
    house.work()
    assert states(house) == [intents.COLLECTED]
    pages = [one for one in house.sandbox.calls()["calls"] if "/requests" in one["path"]]
    assert len(pages) == 2
    assert not any("of+another" in one["path"] for one in pages)
