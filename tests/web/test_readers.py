"""Looks that callers wait for: a few at a time, and nobody for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from receiver.graph.errors import NoAnswer
from receiver.web.readers import Readers


@pytest.fixture
def two() -> Iterator[Readers]:
    """Two threads, and callers that wait a fifth of a second."""
    pool = Readers(threads=8, patience_seconds=0.2)
    yield pool
    pool.close()


def test_jobs_are_done_side_by_side_before_their_caller_goes_on(two: Readers) -> None:
    meeting = threading.Barrier(2, timeout=10)
    done: list[int] = []

    def job() -> None:
        meeting.wait()
        done.append(1)

    two.run([job, job], account_id=1)
    assert done == [1, 1]


def test_a_caller_goes_on_when_its_time_is_up_and_the_look_goes_on_too(two: Readers) -> None:
    release, ended = threading.Event(), threading.Event()

    def slow() -> None:
        release.wait(10)
        ended.set()

    began = time.monotonic()
    two.run([slow], account_id=1)
    assert time.monotonic() - began < 5
    assert not ended.is_set()
    release.set()
    assert ended.wait(10)


def test_what_did_not_begin_in_time_is_dropped(two: Readers) -> None:
    release, dropped = threading.Event(), threading.Event()
    two.run([lambda: release.wait(10), lambda: release.wait(10), dropped.set], account_id=1)
    release.set()
    two.run([lambda: None], account_id=1)
    assert not dropped.is_set()


def test_what_goes_wrong_with_one_job_stops_no_other(two: Readers) -> None:
    done = threading.Event()

    def failing() -> None:
        raise ValueError("unforeseen")

    two.run([failing, done.set], account_id=1)
    assert done.is_set()


def test_a_look_that_led_to_nothing_is_logged_with_its_account_and_facebooks_trace(
    two: Readers,
) -> None:
    def failing() -> None:
        error = NoAnswer("Nothing came.")
        error.fbtrace_id = "AbC"
        raise error

    with capture_logs(processors=[merge_contextvars]) as lines:
        two.run([failing], account_id=17)
    assert [(line["account_id"], line["fbtrace_id"]) for line in lines] == [(17, "AbC")]
