"""What a look shows of a set's notification (pure).

``notification_status`` has no word for failure: the outcome stands in ``notification_result``.
"""

from __future__ import annotations

import re
from datetime import datetime

from receiver.graph.vocabulary import MODE_OFF, notification_mode
from receiver.graph.wire import SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.plan import Pace

PENDING = "pending"
DELIVERED = "delivered"
FAILED = "failed"
LOST = "lost"
NONE = "none"
VERDICTS = (PENDING, DELIVERED, FAILED, LOST, NONE)


def verdict_of(
    reading: SetReading,
    *,
    is_notified: bool,
    completed_at: datetime | None,
    pace: Pace,
    now: datetime,
) -> str:
    """Judge a set's notification by what Facebook shows and by what came.

    ``is_notified``: a notification of this set is in our table. ``completed_at``: when we first
    saw it complete, None while it is not. A complete set stays complete, whatever ``reading``
    shows: an answer that knows less comes from a server that lags.
    """
    if completed_at is None:
        return PENDING
    if is_notified:
        return DELIVERED
    if notification_mode(reading.notification_mode) == MODE_OFF:
        return NONE
    status = (reading.notification_status or "NOT_SENT").upper()
    if status == "SENT":
        return LOST if _is_success(reading.notification_result_status) else FAILED
    if status in ("SENDING", "NOT_SENT"):
        return FAILED if plan.grace_is_over(pace, completed_at=completed_at, now=now) else PENDING
    return FAILED


def verdict_due(pace: Pace, verdict: str, *, completed_at: datetime | None) -> datetime | None:
    """When a collected set is looked at once more: only while its verdict is out."""
    if verdict != PENDING or completed_at is None:
        return None
    return plan.verdict_look_at(pace, completed_at=completed_at)


def _is_success(result_status: str | None) -> bool:
    """Tell whether Facebook got a 2xx; a result that it does not show is no failure."""
    return result_status is None or re.fullmatch("2[0-9]{2}", result_status) is not None
