from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from benchmarks import day
from benchmarks.day_facebook import BEGINS_AT, Order, orders, reading
from benchmarks.day_receiver import CALL_SECONDS, Receiver
from receiver.graph.score import READ_POINTS, WRITE_POINTS
from receiver.lifecycle.shares import Shares
from tests.support.pace import PACE


def _order(**different: Any) -> Order:
    values: dict[str, Any] = {
        "account": 1,
        "size": 100,
        "at": BEGINS_AT,
        "seconds": 40.0,
        "is_lost": False,
        "notified_after_seconds": 2.0,
    }
    return Order(**{**values, **different})


def _run(*ordered: Order) -> tuple[Receiver, list[float]]:
    """Run a day; return the receiver, and how long after each set was complete it was collected."""
    delays: list[float] = []

    def collected(order: Order, at: datetime) -> None:
        delays.append((at - order.completes_at).total_seconds())

    receiver = Receiver(pace=PACE, shares=Shares(), seed=1, collected=collected)
    receiver.run(ordered)
    return receiver, delays


def test_a_notified_set_costs_a_create_and_one_read_that_follows_the_notification() -> None:
    receiver, delays = _run(_order())

    assert receiver.points == WRITE_POINTS + READ_POINTS
    assert delays == [pytest.approx(2.0 + 0.1 + CALL_SECONDS)]


def test_a_set_whose_notification_is_lost_is_collected_by_a_look() -> None:
    receiver, delays = _run(_order(is_lost=True))

    # It is looked at first 60 s after it was opened, without its requests: nothing speaks for
    # its being complete.
    assert receiver.looks == 1
    assert receiver.points == WRITE_POINTS + 2 * READ_POINTS
    assert delays == [pytest.approx(60 + CALL_SECONDS - 40 + 0.1 + 2 * CALL_SECONDS)]


def test_a_set_that_is_at_work_at_its_first_look_is_looked_at_when_its_progress_promises() -> None:
    receiver, (delay,) = _run(_order(is_lost=True, seconds=100.0))

    assert receiver.looks == 2
    assert 0 < delay < 15


def test_a_large_set_costs_a_point_for_each_page() -> None:
    receiver, _ = _run(_order(size=1000))

    assert receiver.points == WRITE_POINTS + 2 * READ_POINTS


def test_a_full_score_keeps_creates_waiting_and_loses_none() -> None:
    receiver, delays = _run(*(_order() for _ in range(4000)))

    assert len(delays) == 4000
    assert receiver.points >= 4000 * (WRITE_POINTS + READ_POINTS)
    assert receiver.missing == 0


def test_a_set_that_is_found_while_its_notification_is_on_its_way_is_judged_when_it_came() -> None:
    receiver, delays = _run(_order(seconds=59.0, notified_after_seconds=30.0))

    assert receiver.looks == 1
    assert delays[0] < 5


def test_orders_come_in_the_order_of_their_time_and_the_same_seed_makes_the_same() -> None:
    made = list(orders(sets=1000, accounts=20, lost_share=0.05, seed=7))

    assert made == list(orders(sets=1000, accounts=20, lost_share=0.05, seed=7))
    assert len(made) == 1000
    assert 20 < sum(one.is_lost for one in made) < 90
    assert all(early.at <= late.at for early, late in pairwise(made))
    assert made[-1].at < BEGINS_AT + timedelta(days=1)


def test_facebook_shows_a_set_complete_and_notified_only_after_its_time() -> None:
    order = _order()
    at_work, complete, told = (
        reading(order, 1, age_seconds=age_seconds) for age_seconds in (20.0, 40.0, 42.0)
    )

    assert (at_work.is_completed, at_work.success_count) == (False, 50)
    assert (complete.is_completed, complete.notification_status) == (True, "NOT_SENT")
    assert told.notification_status == "SENT"


def test_a_day_in_miniature_collects_everything_and_costs_little_more_than_the_floor() -> None:
    measured = {
        (one.name, one.peer): one
        for one in day.figures(rounds=1, say=lambda _: None, sets=2000, accounts=10)
    }

    assert measured["missing sets", None].value == 0
    assert 1 <= measured["points", "an oracle: a create and one read"].value < 1.5
    assert measured["points", "polling every 30 s"].value < 1
    assert measured["delay, notified, p50", None].value < 5
    assert measured["delay, lost, p50", None].value > measured["delay, notified, p50", None].value


@pytest.mark.parametrize("notified_of_ten", [0, 2, 5])
@pytest.mark.parametrize("seconds", [40.0, 600.0])
def test_where_notifications_get_lost_no_set_is_collected_later_than_the_ones_before(
    *, notified_of_ten: int, seconds: float
) -> None:
    """The grace that a look waited is not taken for time that the set took."""
    receiver, delays = _run(
        *(
            _order(
                at=BEGINS_AT + timedelta(minutes=20 * n),
                seconds=seconds,
                is_lost=n % 10 >= notified_of_ten,
            )
            for n in range(400)
        )
    )

    assert max(delays[300:]) <= max(delays[:100]) < seconds
    # Nearly all lost sets take one look: they teach when it is due.
    assert receiver.looks < 1.25 * len(delays)
