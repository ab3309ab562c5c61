"""What Facebook no longer shows of a set that was collected loses nothing, and stops nothing."""

from __future__ import annotations

from receiver.lifecycle import step
from receiver.store.models import Request, RequestSet
from tests.support.acting import act, collected
from tests.support.house import House, ad


def let_it_be_forgotten(house: House, set_id: str) -> None:
    house.sandbox.trouble(
        "graph_error", code=100, subcode=33, method="GET", path=set_id, count=None
    )


def test_a_set_that_facebook_forgot_stays_collected_when_it_is_collected_again(
    house: House,
) -> None:
    set_id = collected(house, [ad("one"), ad("fail")])
    collected_at = house.the_set().collected_at
    house.let_time_pass(86_400 * 30)
    assert act(house, "collect").status_code == 200
    let_it_be_forgotten(house, set_id)

    house.work()

    row = house.the_set()
    assert (row.state, row.collected_at, row.look_at) == ("collected", collected_at, None)
    assert "no longer shows it" in (row.state_reason or "")
    assert len(house.rows(Request)) == 2
    # Nothing stands in the way of what is done to a collected set.
    assert act(house, "resubmit").status_code == 200


def test_a_set_that_facebook_shows_once_more_is_collected_again(house: House) -> None:
    set_id = collected(house)
    house.let_time_pass(86_400)
    assert act(house, "collect").status_code == 200
    let_it_be_forgotten(house, set_id)
    house.work()
    house.sandbox.end_troubles()

    assert act(house, "collect").status_code == 200
    house.work()

    row = house.the_set()
    assert (row.state, row.state_reason, row.verdict) == ("collected", None, "delivered")


def test_a_look_for_the_verdict_takes_no_collecting_again_away(house: House) -> None:
    set_id = collected(house)
    with house.parts.database.writing() as session:
        row = session.get_one(RequestSet, 1)
        row.verdict, row.look_at = "pending", house.clock()
    house.let_time_pass(1)
    claim = step.claim_next(house.parts.tools)
    assert claim is not None
    assert claim.state == "collected"
    assert act(house, "collect").status_code == 200
    let_it_be_forgotten(house, set_id)

    step.work_on(house.parts.tools, claim)

    row = house.the_set()
    assert (row.state, row.look_at, row.verdict) == ("completed", house.clock(), "pending")
    house.sandbox.end_troubles()
    house.work()
    assert house.the_set().state == "collected"
