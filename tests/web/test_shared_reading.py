from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from receiver.web.shared_reading import SharedReading


def counting(*, seconds: float = 0) -> tuple[Callable[[], int], list[int]]:
    made: list[int] = []

    def read() -> int:
        made.append(len(made) + 1)
        time.sleep(seconds)
        return len(made)

    return read, made


def test_many_who_ask_at_once_share_one_reading() -> None:
    read, made = counting(seconds=0.2)
    shared = SharedReading(read, kept_seconds=0)
    with ThreadPoolExecutor(8) as pool:
        values = {
            future.result()
            for future in [pool.submit(shared.get, timeout_seconds=5) for _ in range(8)]
        }
    assert (values, made) == ({1}, [1])


def test_what_it_brought_is_given_out_for_a_while() -> None:
    read, made = counting()
    shared = SharedReading(read, kept_seconds=60)
    assert [shared.get(timeout_seconds=5) for _ in range(3)] == [1, 1, 1]
    assert made == [1]


def test_after_that_it_is_made_again() -> None:
    read, _ = counting()
    shared = SharedReading(read, kept_seconds=0)
    assert [shared.get(timeout_seconds=5) for _ in range(3)] == [1, 2, 3]


def test_nobody_waits_long_for_a_reading_that_hangs_and_no_other_is_begun() -> None:
    goes_on, begun = threading.Event(), []

    def hang() -> str:
        begun.append(1)
        goes_on.wait(10)
        return "at last"

    shared = SharedReading(hang, kept_seconds=0)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            shared.get(timeout_seconds=0.02)
    goes_on.set()
    assert shared.get(timeout_seconds=5) == "at last"
    assert begun == [1]


def test_whoever_waits_is_told_what_went_wrong_and_the_next_reading_is_a_new_one() -> None:
    answers: Iterator[ValueError | int] = iter([ValueError("not now"), 5])

    def read() -> int:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    shared = SharedReading(read, kept_seconds=0)
    with pytest.raises(ValueError, match="not now"):
        shared.get(timeout_seconds=5)
    assert shared.get(timeout_seconds=5) == 5


def test_where_no_thread_can_be_started_the_next_one_who_asks_tries_again() -> None:
    shared = SharedReading(lambda: 5, kept_seconds=0)
    crowded = RuntimeError("can't start new thread")
    with (
        mock.patch.object(threading.Thread, "start", side_effect=crowded),
        pytest.raises(RuntimeError),
    ):
        shared.get(timeout_seconds=5)
    assert shared.get(timeout_seconds=5) == 5
