"""Ctrl-C that lets what is under way come to its end: a call to Facebook is not torn apart."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SLICE_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


class Interrupted(Exception):
    """The command was asked to end, and is at a point where it may."""


class Interruption:
    """Whether the command was asked to end."""

    def __init__(self) -> None:
        self.is_wanted = False

    def check(self) -> None:
        """Raise Interrupted if it was."""
        if self.is_wanted:
            raise Interrupted

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Interrupted as soon as the command is asked to end."""
        ends = time.monotonic() + seconds
        while True:
            self.check()
            left = ends - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _SLICE_SECONDS))


@contextmanager
def interruptible(*, message: str = "") -> Iterator[Interruption]:
    """Keep in mind that the block was asked to end, by Ctrl-C, SIGTERM or a terminal that closes.

    It says ``message`` then. Whoever asks a second time ends it at once: KeyboardInterrupt.
    """
    interruption = Interruption()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if interruption.is_wanted:
            raise KeyboardInterrupt
        interruption.is_wanted = True
        if message:
            _say(message)

    before = {one: signal.signal(one, ask) for one in _SIGNALS}
    try:
        yield interruption
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _say(message: str) -> None:
    # A handler comes in the middle of anything, a line that is being written too: no buffer of
    # this process may be touched. A terminal that closed takes nothing any more.
    with suppress(OSError, ValueError):
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{message}\n".encode())
