"""How many exports are under way in a process: each holds a thread until its last row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable


class NoExportSlot(Exception):
    """As many exports are under way as may; the message says whose."""


class ExportSlots:
    """The exports of one process: few at a time, and of one holder a single one.

    Whoever reads their file slowly, or not at all, keeps nobody else out.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._holders: set[Hashable] = set()

    def take(self, holder: Hashable) -> Callable[[], None]:
        """Take a slot, and return what gives it back, once. Raises NoExportSlot."""
        with self._lock:
            if holder in self._holders:
                raise NoExportSlot("An export of your key is under way")
            if len(self._holders) >= self._most:
                raise NoExportSlot("As many exports as may are under way")
            self._holders.add(holder)

        def release() -> None:
            with self._lock:
                self._holders.remove(holder)

        return release
