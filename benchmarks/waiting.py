"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Iterator


def repeatedly(*, seconds: float, pause_seconds: float) -> Iterator[None]:
    """Yield at once, and again after each pause, until so many seconds have passed."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        yield
        time.sleep(pause_seconds)
