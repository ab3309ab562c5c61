"""The log of the calls, with what each cost: 1 point for a read, 3 for a write."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

READ_POINTS = 1
WRITE_POINTS = 3

_KEPT_CALLS = 100_000


@dataclass(frozen=True)
class LoggedCall:
    """A call as the log keeps it: its path without version and query, and no token.

    ``account`` is the first of those that the call is about. A batch costs nothing: each of its
    operations is logged as a call of its own, with ``is_operation``.
    """

    method: str
    path: str
    account: str | None
    points: int
    time: datetime
    trouble: str | None
    is_operation: bool = False


@dataclass
class CallLog:
    """The calls that came, the newest 100 000 of them one by one, all of them in the totals."""

    _calls: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=_KEPT_CALLS))
    _count: int = 0
    _total_points: int = 0
    _points: Counter[str] = field(default_factory=Counter)

    def add(self, call: LoggedCall, *, charges: Mapping[str, int]) -> None:
        """Log a call. ``charges`` are its points by account."""
        self._calls.append(call)
        self._count += 1
        self._total_points += call.points
        self._points.update(charges)

    def report(self) -> dict[str, Any]:
        """Return what ``GET /sandbox/calls`` shows: the calls, and totals of calls and points."""
        return {
            "calls": [{**asdict(call), "time": call.time.isoformat()} for call in self._calls],
            "totals": {
                "calls": self._count,
                "points": self._total_points,
                "points_by_account": dict(self._points),
            },
        }
