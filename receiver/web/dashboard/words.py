"""What the dashboard says of states, verdicts and errors (pure): for whoever is on call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

STATES: Mapping[str, str] = {
    "submitting": "It may be on its way to Facebook.",
    "unknown": "It was sent, and nobody knows yet whether Facebook has it. The receiver looks for "
    "it; do not send it again.",
    "rejected": "Facebook does not have it.",
    "open": "Facebook has it and is at work on it.",
    "completed": "Facebook is done with it; its results are being collected.",
    "collected": "Every result is stored.",
    "stuck": "The evidence contradicts itself: a person has to look.",
}
VERDICTS: Mapping[str, str] = {
    "pending": "Whether Facebook notifies of it is not decided yet.",
    "delivered": "Facebook's notification came.",
    "failed": "Facebook could not deliver its notification; the receiver asked instead.",
    "lost": "Facebook says that it notified, and nothing came; the receiver asked instead.",
    "none": "No notification was asked for.",
}
LEARNED_BY: Mapping[str, str] = {
    "notification": "by Facebook's notification",
    "poll": "by asking Facebook",
    "read": "because a caller asked for it",
}
TONES: Mapping[str, str] = {
    "submitting": "secondary",
    "unknown": "warning",
    "rejected": "danger",
    "open": "primary",
    "completed": "info",
    "collected": "success",
    "stuck": "danger",
    "pending": "secondary",
    "delivered": "success",
    "failed": "warning",
    "lost": "warning",
    "none": "secondary",
    "gone": "warning",
    "ok": "success",
    "waiting": "warning",
    "parked": "danger",
    "done": "success",
    "refused": "warning",
    "begun": "secondary",
}
"""Which of Bootstrap's tones a word has; the word itself always stands beside."""


def number(value: float | None) -> str:
    """Write a number with its thousands apart."""
    return "-" if value is None else f"{value:,}"


def count(counted: Any) -> str:
    """Write a count that may have been cut off."""
    return f"{counted.at_least:,}" + ("" if counted.is_exact else "+")


def utc(moment: datetime) -> str:
    """Write a moment as it is shown without JavaScript, and on hover."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Write how long something took or takes, in its largest unit."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} seconds"
