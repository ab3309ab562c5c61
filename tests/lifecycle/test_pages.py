"""Pages of requests that are too much for one answer, or come too late, are asked for in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from receiver.graph.client import GraphClient
from receiver.store import intents
from receiver.store.models import Look, Request
from tests.lifecycle.test_collecting_together import complete_sets, states
from tests.support.house import House

ALL_COLLECTED = {intents.COLLECTED}


@contextmanager
def reading_with(house: House, **limits: Any) -> Iterator[None]:
    """Let the worker read Facebook by a client with other limits."""
    client = GraphClient(
        str(house.parts.settings.graph_url),
        **{
            "connect_timeout_seconds": 1,
            "read_timeout_seconds": 20,
            "deadline_seconds": 20,
            "stream_limit_bytes": 1_000_000,
            **limits,
        },
    )
    before = house.parts
    house.parts = replace(before, tools=replace(before.tools, client=client))
    yield
    house.parts = before
    client.close()


def work_for_an_hour(house: House) -> None:
    """Work every five minutes, until all sets are collected."""
    for _ in range(12):
        house.work()
        if set(states(house)) == ALL_COLLECTED:
            return
        house.clock.move(300)


def test_an_answer_that_is_too_long_is_asked_for_in_smaller_parts(house: House) -> None:
    complete_sets(house.without_expansion(), 6, ads=30)
    with reading_with(house, answer_limit_bytes=20_000):
        house.work()
    assert set(states(house)) == ALL_COLLECTED
    assert len(house.rows(Request)) == 6 * 30
    assert all(look.error is None for look in house.rows(Look))


def test_a_page_that_is_too_long_by_itself_is_halved(house: House) -> None:
    complete_sets(house.without_expansion(), 1, ads=60)
    with reading_with(house, answer_limit_bytes=10_000):
        house.work()
    assert set(states(house)) == ALL_COLLECTED
    assert len(house.rows(Request)) == 60


def test_sets_that_are_too_much_with_their_requests_are_looked_at_without(house: House) -> None:
    complete_sets(house, 6, ads=30)
    with reading_with(house, answer_limit_bytes=20_000):
        house.work()
    assert set(states(house)) == ALL_COLLECTED
    assert len(house.rows(Request)) == 6 * 30


@pytest.mark.parametrize("unfinished", ["null", "error_960"])
def test_what_a_batch_had_no_time_for_is_asked_for_again(house: House, unfinished: str) -> None:
    complete_sets(house.without_expansion(), 10)
    house.sandbox.batches(unfinished=unfinished, timeout_seconds=0.1)
    house.sandbox.latency(0, operation_latency_ms=30)
    work_for_an_hour(house)
    assert set(states(house)) == ALL_COLLECTED
    assert len(house.rows(Request)) == 20


def test_sets_whose_answer_comes_too_late_are_asked_for_in_smaller_calls(house: House) -> None:
    """Twelve reads take Facebook 600 ms, and it is waited for 400."""
    complete_sets(house.without_expansion(), 12)
    house.sandbox.latency(0, operation_latency_ms=50)
    with reading_with(house, deadline_seconds=0.4):
        work_for_an_hour(house)
    assert set(states(house)) == ALL_COLLECTED
    assert len(house.rows(Request)) == 24


def test_a_facebook_that_is_silent_makes_no_page_shorter_than_is_cheap(house: House) -> None:
    complete_sets(house.without_expansion(), 1, ads=60)
    house.sandbox.latency(400)
    with reading_with(house, deadline_seconds=0.2):
        work_for_an_hour(house)
    assert states(house) == [intents.OPEN]
    house.sandbox.latency(0)
    house.work()
    house.clock.move(7200)
    before = len(house.sandbox.calls()["calls"])
    house.work()
    assert states(house) == [intents.COLLECTED]
    assert len(house.sandbox.calls()["calls"]) - before <= 1 + 3
