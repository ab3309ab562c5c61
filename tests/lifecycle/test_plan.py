from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle import plan
from receiver.lifecycle.plan import Moved, Pace
from tests.support.pace import PACE
from tests.support.rows import NOW, at

seconds = st.floats(0.01, 86_400)
chances = st.floats(0, 1)
looks = st.integers(0, 10**6)


@st.composite
def paces(draw: st.DrawFn) -> Pace:
    shortest, longest = sorted([draw(seconds), draw(seconds)])
    return Pace(
        send_before_seconds=draw(seconds),
        call_deadline_seconds=draw(seconds),
        lease_seconds=draw(seconds),
        first_look_seconds=draw(seconds),
        look_interval_min_seconds=shortest,
        look_interval_max_seconds=longest,
        notification_grace_seconds=draw(seconds),
        deadline_min_seconds=3600,
        deadline_max_seconds=86_400,
        settle_seconds=900,
        needs_witness=True,
    )


def interval(pace: Pace, quiet_looks: int, chance: float = 0) -> timedelta:
    return plan.next_look_at(pace, quiet_looks=quiet_looks, now=NOW, chance=chance) - NOW


def test_intervals_double_from_the_shortest_to_the_longest() -> None:
    found = [interval(PACE, number).total_seconds() for number in range(1, 10)]
    assert found == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_set_that_was_never_quiet_is_looked_at_after_the_shortest_interval() -> None:
    assert interval(PACE, 0).total_seconds() == 15


@pytest.mark.parametrize(
    ("quiet_looks", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (10, 512), (10**6, 65_536)]
)
def test_a_look_that_broke_off_is_made_again_in_a_moment_and_later_each_time(
    quiet_looks: int, seconds: float
) -> None:
    assert plan.due_again_at(quiet_looks=quiet_looks, now=NOW) == at(seconds)


@given(paces(), looks, chances)
def test_every_interval_lies_within_its_bounds(pace: Pace, quiet_looks: int, chance: float) -> None:
    found = interval(pace, quiet_looks, chance).total_seconds()
    assert found >= pace.look_interval_min_seconds - 1e-6
    assert found <= pace.look_interval_max_seconds * 1.2 + 1e-6


@given(paces(), looks, looks, chances)
def test_whoever_was_quiet_for_longer_waits_no_shorter(
    pace: Pace, one: int, other: int, chance: float
) -> None:
    fewer, more = sorted([one, other])
    assert interval(pace, fewer, chance) <= interval(pace, more, chance)


@given(paces(), looks, chances, chances)
def test_chance_only_stretches(pace: Pace, quiet_looks: int, one: float, other: float) -> None:
    less, more = sorted([one, other])
    assert interval(pace, quiet_looks, less) <= interval(pace, quiet_looks, more)


@given(paces())
def test_a_sender_counts_as_gone_only_after_its_last_call_must_have_ended(pace: Pace) -> None:
    last_call = timedelta(seconds=pace.send_before_seconds + pace.call_deadline_seconds)
    assert plan.sender_is_gone(pace, now=NOW) > NOW + last_call


def test_the_moments_of_a_set_are_what_the_settings_say() -> None:
    assert plan.send_before(PACE, now=NOW) == at(10)
    assert plan.sender_is_gone(PACE, now=NOW) == at(75)
    assert plan.lease_until(PACE, now=NOW) == at(120)
    assert plan.first_look_at(PACE, now=NOW) == at(60)
    assert plan.verdict_look_at(PACE, completed_at=NOW) == at(120)


def test_the_grace_is_over_at_the_moment_of_the_look_that_waits_for_it() -> None:
    moment = plan.verdict_look_at(PACE, completed_at=NOW)
    assert plan.grace_is_over(PACE, completed_at=NOW, now=moment)
    just_before = moment - timedelta(microseconds=1)
    assert not plan.grace_is_over(PACE, completed_at=NOW, now=just_before)


def first_look(
    usual_seconds: float | None,
    *,
    early_seconds: float | None = None,
    loss_rate: float = 0.0,
    pace: Pace = PACE,
) -> float:
    moment = plan.first_look_at(
        pace,
        usual_seconds=usual_seconds,
        early_seconds=early_seconds,
        loss_rate=loss_rate,
        now=NOW,
    )
    return (moment - NOW).total_seconds()


def test_the_first_look_is_when_sets_of_its_size_are_usually_complete() -> None:
    assert first_look(None) == 60  # a cold start
    assert first_look(100) == 150  # a long grace: notifications come
    assert first_look(100, loss_rate=0.5) == 125  # a short one: they get lost
    assert first_look(1) == 15  # the floor
    assert first_look(10_000) == 900  # the cap


def test_where_notifications_get_lost_no_early_set_waits_for_those_that_take_long() -> None:
    assert first_look(600, early_seconds=200, loss_rate=0.05) == 350
    assert first_look(600, early_seconds=500, loss_rate=0.05) == 650
    assert first_look(100, early_seconds=40, loss_rate=0.05) == 125  # they are done by then


def test_where_notifications_come_early_sets_cost_no_look() -> None:
    assert first_look(600, early_seconds=200, loss_rate=0.02) == 900


@given(paces(), seconds, seconds, st.floats(0, 1))
def test_early_sets_never_make_a_first_look_later_nor_one_within_minutes(
    pace: Pace, one: float, other: float, loss_rate: float
) -> None:
    early, usual = sorted([one, other])
    without = first_look(usual, loss_rate=loss_rate, pace=pace)
    found = first_look(usual, early_seconds=early, loss_rate=loss_rate, pace=pace)
    assert min(without, 150) <= found <= without


def test_an_account_that_loses_notifications_is_looked_at_sooner() -> None:
    def after(quiet_looks: int, loss_rate: float) -> float:
        moment = plan.next_look_at(
            PACE, quiet_looks=quiet_looks, loss_rate=loss_rate, now=NOW, chance=0
        )
        return (moment - NOW).total_seconds()

    assert [after(7, rate) for rate in (0, 0.02, 0.5, 1)] == [900, 900, 300, 180]
    assert after(1, 1) == 15


def test_a_deadline_is_learned_within_its_bounds() -> None:
    def late(usual_seconds: float | None) -> tuple[float, float]:
        found = plan.deadline(PACE, usual_seconds=usual_seconds, now=NOW)
        return (found.late_at - NOW).total_seconds(), (found.missing_at - NOW).total_seconds()

    assert late(None) == (3600, 7200)
    assert late(600) == (6000, 12_000)
    assert late(86_400) == (86_400, 86_400)


def test_a_set_that_moves_is_looked_at_when_it_should_be_complete() -> None:
    def after(done: int, total: int, elapsed: float) -> float | None:
        moment = plan.look_by_progress(
            PACE, done=done, total=total, since=at(-elapsed), now=NOW, chance=0
        )
        return None if moment is None else (moment - NOW).total_seconds()

    assert after(10, 100, 60) == 540
    assert after(99, 100, 60) == 15  # not sooner than the shortest interval
    assert after(1, 100, 60) == 900  # not later than the longest
    assert after(100, 100, 60) == 15
    assert after(0, 100, 60) is None
    assert after(7, 0, 60) is None


def look_after(moved: Moved | None, *, quiet_looks: int = 3, loss_rate: float = 0.0) -> float:
    moment = plan.look_after(
        PACE, moved=moved, quiet_looks=quiet_looks, loss_rate=loss_rate, now=NOW, chance=0
    )
    return (moment - NOW).total_seconds()


def test_a_set_without_news_is_looked_at_later_and_later() -> None:
    assert look_after(None) == 60
    assert look_after(None, quiet_looks=5, loss_rate=0.5) == 80


def test_counts_that_moved_promise_when_a_set_is_complete() -> None:
    assert look_after(Moved(25, total=100, since=NOW - timedelta(seconds=100))) == 300


@pytest.mark.parametrize("moved", [Moved(0, total=100, since=NOW), Moved(5, total=9, since=None)])
def test_counts_that_moved_and_promise_nothing_begin_the_intervals_again(moved: Moved) -> None:
    assert look_after(moved, quiet_looks=6) == 15
