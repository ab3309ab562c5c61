"""The lifecycle's steps in one process, no broker: SQL is the only memory.

One thread applies hints; the others claim what is due and work on it. Everything is claimed under
a lease, so any number of such processes may run on one database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from receiver.lifecycle import step
from receiver.lifecycle.tools import Tools
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)

_DATABASE_PAUSE_SECONDS = 1.0


class Loop:
    """The threads of one worker. ``stop`` ends each of them between two steps."""

    def __init__(self, tools: Tools, *, threads: int, interval_seconds: float) -> None:
        """``interval_seconds`` is how long a thread that found nothing waits at the most."""
        self._tools = tools
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._apply_hints, name="hints")]
        self._threads += [
            threading.Thread(target=self._advance, name=f"steps-{number}")
            for number in range(1, threads + 1)
        ]

    def run(self) -> None:
        """Work until ``stop`` is called."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Let every thread finish the step it is in, and begin no other."""
        self._stopping.set()

    def _apply_hints(self) -> None:
        self._repeat(lambda: step.apply_hints(self._tools))

    def _advance(self) -> None:
        self._repeat(lambda: step.advance(self._tools))

    def _repeat(self, do: Callable[[], bool]) -> None:
        while not self._stopping.is_set():
            try:
                found_work = do()
            except DatabaseAway as error:
                log.warning("The database is away: trying again", reason=str(error))
                self._stopping.wait(_DATABASE_PAUSE_SECONDS)
            except Exception:  # a worker that ends takes every set with it
                log.exception("A step failed")
                self._stopping.wait(_DATABASE_PAUSE_SECONDS)
            else:
                if not found_work:
                    self._stopping.wait(self._interval_seconds)
