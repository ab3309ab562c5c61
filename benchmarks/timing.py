"""How long calls take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def seconds_taken(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the one of sorted numbers below which such a share of them lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
