from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from receiver.broker import waker as module
from receiver.broker.connection import CONNECT_TIMEOUT_SECONDS, Broker, BrokerAway
from receiver.broker.waker import MOST_WAITING, Waker
from receiver.metrics import WAKES
from tests.support.dead_addresses import DEAD, dead_port
from tests.support.loops import wait_until


class Line:
    """A broker that takes a message once it may."""

    def __init__(self, *, may: bool = True, error: BrokerAway | None = None) -> None:
        self.may = threading.Event()
        if may:
            self.may.set()
        self.error = error
        self.is_full = False
        self.began: list[int] = []
        self.sent: list[int] = []
        self.is_closed = False

    def send(self, account_id: int) -> None:
        self.began.append(account_id)
        self.may.wait(10)
        if self.error is not None:
            raise self.error
        self.sent.append(account_id)

    def has_room(self) -> bool:
        return not self.is_full

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def wakers_end_with_their_test() -> Iterator[None]:
    """What one still drops after its test would count as the next one's."""
    before = set(threading.enumerate())
    yield
    wait_until(lambda: not any(is_waker(one) for one in set(threading.enumerate()) - before))


def is_waker(thread: threading.Thread) -> bool:
    return thread.name == "waker"


def counted(outcome: str) -> Callable[[], int]:
    """How many wakes have had an outcome since this was called."""
    before = WAKES.labels(outcome)._value.get()
    return lambda: int(WAKES.labels(outcome)._value.get() - before)


def test_what_is_woken_is_sent_in_its_order() -> None:
    sent = counted("sent")
    line = Line()
    waker = Waker(line)
    for account_id in (3, 1, 2):
        waker.wake(account_id)
    wait_until(lambda: line.sent == [3, 1, 2])
    waker.close()
    assert sent() == 3


def test_an_account_waits_once_however_often_it_is_woken() -> None:
    line = Line(may=False)
    waker = Waker(line)
    waker.wake(1)
    wait_until(lambda: line.began == [1])
    for _ in range(100):
        waker.wake(2)
        # What is just being sent may be read before this came: it is sent once more.
        waker.wake(1)
    line.may.set()
    wait_until(lambda: line.sent == [1, 2, 1])
    waker.close()
    assert line.sent == [1, 2, 1]


def test_nobody_waits_for_a_broker_that_hangs_and_what_is_too_much_is_dropped() -> None:
    dropped = counted("dropped")
    line = Line(may=False)
    waker = Waker(line)
    waker.wake(0)
    wait_until(lambda: line.began == [0])
    began = time.monotonic()
    for account_id in range(1, 10 * MOST_WAITING + 1):
        waker.wake(account_id)
    took_seconds = time.monotonic() - began
    assert took_seconds < 1
    assert dropped() == 9 * MOST_WAITING
    line.may.set()
    waker.close()


def test_what_a_full_broker_would_only_keep_is_dropped() -> None:
    dropped = counted("dropped")
    line = Line()
    line.is_full = True
    waker = Waker(line)
    waker.wake(1)
    wait_until(lambda: dropped() == 1)
    line.is_full = False
    waker.wake(2)
    wait_until(lambda: line.sent == [2])
    waker.close()


def test_a_broker_that_is_away_is_told_of_once_and_again_when_it_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dropped = counted("dropped")
    line = Line(error=BrokerAway("nobody there"))
    waker = Waker(line)
    for account_id in range(5):
        waker.wake(account_id)
        wait_until(lambda: line.began == list(range(account_id + 1)))  # noqa: B023  # called at once
    wait_until(lambda: dropped() == 5)
    line.error = None
    waker.wake(5)
    wait_until(lambda: line.sent == [5])
    waker.wake(6)
    wait_until(lambda: line.sent == [5, 6])
    waker.close()
    shown = "".join(capsys.readouterr())
    assert shown.count("The broker is away") == 1
    assert shown.count("The broker answers again") == 1


@pytest.mark.parametrize("kind", DEAD)
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_wake_takes_no_time_at_a_dead_address(kind: str, scheme: str) -> None:
    with dead_port(kind) as port, closing(Waker(Broker(f"{scheme}://u:p@127.0.0.1:{port}/0"))) as w:
        began = time.monotonic()
        for account_id in range(200):
            w.wake(account_id)
        # Whoever waited for each would wait for minutes, and for a single one, a second.
        assert time.monotonic() - began < CONNECT_TIMEOUT_SECONDS


def test_what_waits_at_the_end_has_a_moment_and_no_more() -> None:
    line = Line(may=False)
    waker = Waker(line)
    waker.wake(1)
    began = time.monotonic()
    waker.close()
    assert time.monotonic() - began < 2
    waker.wake(2)
    line.may.set()
    wait_until(lambda: line.is_closed)
    assert line.sent == [1]


def test_one_that_nobody_woke_ends_without_a_thread() -> None:
    before = threading.enumerate()
    waker = Waker(Line())
    waker.close()
    assert set(threading.enumerate()) <= set(before)
