"""Commands that start processes of their own end in order, however they are told to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM, and a terminal that closes, end the block as Ctrl-C does: no process stays."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        end_undisturbed()
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in _ENDINGS}
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def end_undisturbed() -> None:
    """A terminal that closes may say so twice: the second must not break off the ending."""
    for one in _ENDINGS:
        signal.signal(one, signal.SIG_IGN)
