"""A reading that many may ask for at once, and that is made once for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class SharedReading(Generic[ValueT]):
    """At most one reading is under way, and what it brought is given out again for a while.

    So whoever asks without a key, and as often as he likes, costs the database no more than one
    reading in that while. A reading that hangs is waited for by nobody for long, and by no other.
    """

    def __init__(self, read: Callable[[], ValueT], *, kept_seconds: float) -> None:
        self._read = read
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._newest: Future[ValueT] | None = None
        self._stale_at = 0.0

    def get(self, *, timeout_seconds: float) -> ValueT:
        """Return what the newest reading brought, or raise what it raised, or TimeoutError."""
        return self._reading().result(timeout_seconds)

    def _reading(self) -> Future[ValueT]:
        with self._lock:
            newest = self._newest
            if newest is None or (newest.done() and time.monotonic() >= self._stale_at):
                newest = Future()
                # It must not keep a process from its end, should the reading hang.
                threading.Thread(target=self._run, args=(newest,), daemon=True).start()
                # Only now: where no thread can be started, the next one who asks tries again.
                self._newest = newest
            return newest

    def _run(self, future: Future[ValueT]) -> None:
        try:
            value = self._read()
        except Exception as error:  # noqa: BLE001  # whoever waits is told
            self._stale_at = time.monotonic() + self._kept_seconds
            future.set_exception(error)
        else:
            self._stale_at = time.monotonic() + self._kept_seconds
            future.set_result(value)
