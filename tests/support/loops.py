"""A worker's loop in this process, and waiting for what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from receiver.worker.loop import Loop
from tests.support.house import House


@contextmanager
def running(loop: Loop) -> Iterator[threading.Thread]:
    """Let a loop run for the block, and end it cleanly."""
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield thread
    finally:
        loop.stop()
        thread.join(10)
        assert not thread.is_alive()


def loop_of(house: House, *, threads: int = 2) -> Loop:
    """Make a loop on a house's parts, of little patience."""
    return Loop(house.parts.tools, threads=threads, interval_seconds=0.02)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, which takes moments."""
    ends = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)
