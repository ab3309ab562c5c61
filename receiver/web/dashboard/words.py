"""What the dashboard says, in words and tones (pure): for whoever is on call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.lifecycle.words import STATES, VERDICTS, state_in_words
from receiver.store import integrity
from receiver.store.deliveries import STATES as DELIVERY_STATES

__all__ = [
    "DEEDS",
    "DELIVERY_STATES",
    "FILTERS",
    "LEARNED_BY",
    "STATES",
    "TONES",
    "VERDICTS",
    "as_they_are",
    "capped",
    "counted",
    "counted_to_cap",
    "duration",
    "number",
    "state_in_words",
    "utc",
]

DEEDS = (*ACTIONS, "adopt", "abandon", "retry", "confirm", "stop")
"""What the audit log calls that which people do."""

LEARNED_BY: Mapping[str, str] = {
    "notification": "by Facebook's notification",
    "poll": "by asking Facebook",
    "read": "because a caller asked for it",
}
FILTERS: Mapping[str, str] = {
    "account": "Only of account",
    "completed_since": "Complete since (UTC)",
    "completed_until": "Complete before (UTC)",
    "learned_by": "Learned by",
    "parent": "Sends again what failed of set",
    "request_set": "Set",
    "sort": "Order",
    "until": "Before (UTC)",
    "verdict": "Verdict",
}
"""What is written of a filter that a page has no field for, by its name."""

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


def capped(value: int) -> str:
    """Write one of the overview's numbers, which are not counted beyond a cap."""
    return f"{number(value)}{_more(value)}"


def counted_to_cap(value: int, noun: str) -> str:
    """Write one of the overview's numbers with what it counts."""
    return f"{capped(value)} {noun}{'' if value == 1 else 's'}"


def _more(value: int) -> str:
    return "+" if value >= integrity.COUNTED_MOST else ""


def utc(moment: datetime) -> str:
    """Write a moment as it is shown without JavaScript, and on hover."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Write how long something took or takes, in its largest unit."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} seconds"
