from __future__ import annotations

import pytest

from receiver.lifecycle import step
from receiver.store import intents
from receiver.store.models import Look
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House, ad

BY_HAND = {"kind": "by_hand"}
NEVER = {"kind": "never"}


def seconds_until_due(house: House) -> float | None:
    look_at = house.the_set().look_at
    return None if look_at is None else (look_at - house.clock()).total_seconds()


def make_due(house: House) -> None:
    house.clock.move(max(0.0, seconds_until_due(house) or 0.0))


def open_by_hand(house: House, *, ads: int = 6) -> str:
    """Create a set that only moves by hand and whose notification never comes."""
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    return house.create_open([ad(f"ad {number}") for number in range(ads)])


def test_a_set_that_is_not_complete_backs_off_and_progress_tells_when_it_may_be(
    house: House,
) -> None:
    set_id = open_by_hand(house)
    waits = []
    for turn in range(8):
        if turn == 5:
            house.sandbox.advance(set_id, requests=2)
        make_due(house)
        assert house.work() == 1
        waits.append(seconds_until_due(house))
    # A third was done in five minutes: the rest should take ten.
    assert waits == [15, 15, 30, 60, 120, 600, 15, 30]
    assert (house.the_set().state, house.the_set().verdict) == (intents.OPEN, "pending")


def test_a_look_writes_what_facebook_shows(house: House) -> None:
    set_id = open_by_hand(house)
    house.sandbox.advance(set_id, requests=2)
    make_due(house)
    house.work()
    row = house.the_set()
    assert (row.total_count, row.success_count, row.is_completed) == (6, 2, False)
    assert row.owner_id == ACCOUNT
    assert row.looked_at == house.clock()
    (look,) = house.rows(Look)
    assert (look.kind, look.why, look.calls, look.is_completed) == ("set", "poll", 1, False)
    assert (look.verdict, look.error) == ("pending", None)


def test_a_complete_set_is_collected_from_the_same_step(house: House) -> None:
    set_id = open_by_hand(house)
    house.sandbox.complete(set_id)
    make_due(house)
    assert house.work() == 1
    row = house.the_set()
    assert (row.state, row.completed_at, row.collected_at) == (
        intents.COLLECTED,
        house.clock(),
        house.clock(),
    )


@pytest.mark.parametrize(
    ("kind", "verdict", "learned_by"),
    [
        ({"kind": "lost"}, "lost", "poll"),
        ({"kind": "error"}, "failed", "poll"),
        ({"kind": "never"}, "pending", "poll"),
    ],
)
def test_the_verdict_stands_with_the_first_look(
    house: House, kind: dict[str, str], verdict: str, learned_by: str
) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", notification=kind)
    house.create_open()
    make_due(house)
    house.work()
    row = house.the_set()
    assert (row.state, row.verdict, row.learned_by) == (intents.COLLECTED, verdict, learned_by)


def test_a_verdict_that_is_out_is_looked_at_once_more_after_the_grace_and_not_again(
    house: House,
) -> None:
    house.sandbox.complete(open_by_hand(house))
    make_due(house)
    house.work()
    assert (house.the_set().verdict, seconds_until_due(house)) == ("pending", 120)
    make_due(house)
    assert house.work() == 1
    row = house.the_set()
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "failed", None)
    house.clock.move(10**6)
    assert house.work() == 0


def test_a_set_that_is_shown_incomplete_again_is_not_asked_for_without_end(house: House) -> None:
    """The look after the grace time hits a server that lags behind."""
    set_id = open_by_hand(house)
    house.sandbox.complete(set_id)
    make_due(house)
    house.work()
    house.sandbox.override(set_id, is_completed=False)
    make_due(house)
    assert house.work(most=5) == 1
    row = house.the_set()
    assert (row.state, row.verdict, row.look_at) == (intents.COLLECTED, "failed", None)


def test_a_complete_set_that_is_shown_incomplete_before_it_is_collected_goes_on(
    house: House,
) -> None:
    set_id = open_by_hand(house.without_expansion())
    house.sandbox.complete(set_id)
    house.sandbox.trouble("graph_error", code=100, path="/requests$")
    make_due(house)
    house.work()
    assert house.the_set().state == intents.COMPLETED
    house.sandbox.override(set_id, is_completed=False)
    make_due(house)
    house.work()
    assert (house.the_set().state, house.the_set().is_completed) == (intents.COMPLETED, True)
    house.sandbox.override(set_id, is_completed=True)
    make_due(house)
    house.work()
    assert house.the_set().state == intents.COLLECTED


def test_a_notification_after_the_collecting_makes_the_verdict_delivered(house: House) -> None:
    set_id = open_by_hand(house)
    house.sandbox.complete(set_id)
    make_due(house)
    house.work()
    house.notify(set_id)
    assert house.work() == 0
    assert (house.the_set().verdict, house.the_set().look_at) == ("delivered", None)


def test_an_answer_about_another_set_is_not_believed(house: House) -> None:
    house.create_open()
    make_due(house)
    other = {"id": "4711", "is_completed": True, "total_count": 0}
    with facebook_shows(house.parts.tools, other, page([])) as (tools, _):
        step.advance(tools)
    row = house.the_set()
    assert (row.state, row.is_completed) == (intents.OPEN, False)
    assert "another set" in (row.state_reason or "")


def test_words_that_nobody_has_seen_before_are_kept(house: House) -> None:
    set_id = open_by_hand(house)
    house.sandbox.complete(set_id)
    house.sandbox.override(set_id, notification_status="SHINY_NEW", notification_result=[1, None])
    make_due(house)
    house.work()
    row = house.the_set()
    assert (row.verdict, row.notification_status) == ("failed", "SHINY_NEW")
    assert row.notification_result == b"[1,null]"
