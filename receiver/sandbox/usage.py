"""What calls cost: points per account, and the usage headers made of them.

A read costs 1 point and a write 3 of an account's score, which decays over 300 seconds from at
most 9000 (Facebook's Marketing API rate limiting, full access). Nothing is throttled yet.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

READ_POINTS = 1
WRITE_POINTS = 3

_MAX_SCORE = 9000
_WINDOW = timedelta(seconds=300)
_KEPT_CALLS = 100_000
_TIER = "standard_access"


@dataclass(frozen=True)
class LoggedCall:
    """A call as the log keeps it: its path without version and query, and no token."""

    method: str
    path: str
    account: str | None
    points: int
    time: datetime
    trouble: str | None


@dataclass
class CallLog:
    """The calls that came, the newest 100 000 of them one by one, all of them in the totals."""

    _calls: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=_KEPT_CALLS))
    _count: int = 0
    _points: Counter[str] = field(default_factory=Counter)
    _recent: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)
    _scores: Counter[str] = field(default_factory=Counter)

    def add(self, call: LoggedCall) -> None:
        self._calls.append(call)
        self._count += 1
        if call.account is not None:
            self._points[call.account] += call.points
            self._scores[call.account] += call.points
            self._recent.setdefault(call.account, deque()).append((call.time, call.points))

    def usage_headers(self, account: str, *, now: datetime) -> tuple[tuple[str, str], ...]:
        """Return the usage headers of an answer: JSON in strings, percents of the limits."""
        percent = 100 * self._score(account, now=now) / _MAX_SCORE
        return (
            ("X-Business-Use-Case-Usage", json.dumps({account: [_business_usage(percent)]})),
            ("X-Ad-Account-Usage", json.dumps(_account_usage(percent))),
        )

    def _score(self, account: str, *, now: datetime) -> int:
        recent = self._recent.get(account, deque())
        while recent and recent[0][0] <= now - _WINDOW:
            self._scores[account] -= recent.popleft()[1]
        return self._scores[account]

    def report(self) -> dict[str, Any]:
        """Return what ``GET /sandbox/calls`` shows: the calls, and totals of calls and points."""
        return {
            "calls": [{**asdict(call), "time": call.time.isoformat()} for call in self._calls],
            "totals": {
                "calls": self._count,
                "points": self._points.total(),
                "points_by_account": dict(self._points),
            },
        }


def _business_usage(percent: float) -> dict[str, Any]:
    return {
        "type": "ads_management",
        "call_count": round(percent),
        "total_cputime": round(percent / 2),
        "total_time": round(percent / 2),
        "estimated_time_to_regain_access": 0,
        "ads_api_access_tier": _TIER,
    }


def _account_usage(percent: float) -> dict[str, Any]:
    return {
        "acc_id_util_pct": round(percent, 2),
        "reset_time_duration": round(_WINDOW.total_seconds()),
        "ads_api_access_tier": _TIER,
    }
