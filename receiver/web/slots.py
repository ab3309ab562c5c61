"""How many calls may wait for Facebook at a time: threads stay free for everything else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class NoSlot(Exception):
    """As many calls wait for Facebook as may; nothing was written or sent."""


class OutgoingSlots:
    """The calls of one process that wait for Facebook.

    At most half of its threads do, and at most a quarter of them for one account, so that neither
    a slow Facebook nor one account's trouble keeps notifications, queries or other accounts out.
    """

    def __init__(self, *, threads: int) -> None:
        self._most = max(1, threads // 2)
        self._most_of_account = max(1, threads // 4)
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    @contextmanager
    def slot(self, account_id: int) -> Iterator[None]:
        """Hold a slot for the block. Raises NoSlot at once where none is free."""
        with self._lock:
            if (
                self._taken.total() >= self._most
                or self._taken[account_id] >= self._most_of_account
            ):
                raise NoSlot
            self._taken[account_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[account_id] -= 1
                if not self._taken[account_id]:
                    del self._taken[account_id]
