"""How many calls a process makes at a time for the batches of one account."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class AccountGates:
    """A gate for each account: as many as may are let through, the others wait for their turn."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._gates: defaultdict[int, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(self._most)
        )

    @contextmanager
    def through(self, account_id: int) -> Iterator[None]:
        """Wait for a turn, and hold it for the block."""
        with self._lock:
            gate = self._gates[account_id]
        with gate:
            yield
