"""What the dashboard says, in words and tones (pure): for whoever is on call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.lifecycle.words import STATES, VERDICTS
from receiver.store.deliveries import STATES as DELIVERY_STATES

__all__ = [
    "DEEDS",
    "DELIVERY_STATES",
    "LEARNED_BY",
    "STATES",
    "TONES",
    "VERDICTS",
    "as_they_are",
    "counted",
    "duration",
    "number",
    "utc",
]

DEEDS = (*ACTIONS, "adopt", "abandon", "retry")
"""What the audit log calls that which people do."""

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
    "created": "primary",
    "opened": "primary",
    "notified": "success",
    "doubled": "danger",
    "abandoned": "danger",
    "missing": "danger",
    "late": "warning",
}
"""Which of Bootstrap's tones a word has; the word itself always stands beside."""


def as_they_are(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return words as a form's options, each shown as it is sent."""
    return [(word, word) for word in words]


def number(value: float | None) -> str:
    """Write a number with its thousands apart."""
    return "-" if value is None else f"{value:,}"


def counted(value: int, noun: str) -> str:
    """Write so many of something: one set, two sets."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def utc(moment: datetime) -> str:
    """Write a moment as it is shown without JavaScript, and on hover."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Write how long something took or takes, in its largest unit."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} seconds"
