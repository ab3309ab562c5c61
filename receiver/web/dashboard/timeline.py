"""A set's life as a list of moments (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from receiver.web.admin.documents import (
    AuditEntry,
    Delivery,
    Look,
    Notification,
    RequestSetDetail,
)


@dataclass(frozen=True)
class Event:
    """Something that happened to a set, in words; ``tone`` is one of Bootstrap's."""

    at: datetime
    what: str
    detail: str = ""
    tone: str = "secondary"


def of_set(
    row: RequestSetDetail,
    *,
    notifications: list[Notification],
    looks: list[Look],
    deliveries: list[Delivery],
    audit: list[AuditEntry],
) -> list[Event]:
    """Return everything that is known to have happened, the first first."""
    events = [
        *_of_row(row),
        *_of_submissions(row),
        *(Event(one.received_at, "Notification", _came(one), "success") for one in notifications),
        *(Event(one.started_at, "Look", _saw(one), _tone(one)) for one in looks),
        *(Event(one.created_at, "Caller to be told", one.state) for one in deliveries),
        *(Event(one.at, one.action.capitalize(), f"{one.actor}: {one.detail}") for one in audit),
    ]
    return sorted(events, key=lambda event: event.at)


def _of_row(row: RequestSetDetail) -> Iterator[Event]:
    yield Event(row.created_at, "Intent", f"{row.spec_count} asked for", "primary")
    named = (
        (row.opened_at, "Open", f"Facebook has it as {row.facebook_id}", "primary"),
        (row.completed_at, "Complete", "as the receiver first saw it", "info"),
        (row.collected_at, "Collected", "every result is stored", "success"),
        (row.absent_at, "Absent", "Facebook was proved to have nothing of it", "warning"),
        (row.abandoned_at, "Given up", row.state_reason or "", "danger"),
        (row.doubled_at, "Doubled", "a second set of it was found", "danger"),
    )
    for at, what, detail, tone in named:
        if at is not None:
            yield Event(at, what, detail, tone)


def _of_submissions(row: RequestSetDetail) -> Iterator[Event]:
    for one in row.submissions:
        if one.answered_at is not None:
            tone = "success" if one.outcome == "open" else "warning"
            detail = f"attempt {one.attempt}: {one.outcome}" + (
                f", {one.error}" if one.error else ""
            )
            yield Event(one.answered_at, "Answer to the create", detail, tone)


def _came(one: Notification) -> str:
    repeats = f", and {one.repeats} more" if one.repeats else ""
    return f"{one.method} from {one.remote_address}{repeats}"


def _saw(one: Look) -> str:
    if one.error:
        return f"{one.kind}, failed: {one.error}"
    seen = f", {one.rows} requests" if one.rows else ""
    complete = {True: ", complete", False: ", at work", None: ""}[one.is_completed]
    verdict = f", notification {one.verdict}" if one.verdict else ""
    return f"{one.kind} because of {one.why}{complete}{seen}{verdict}"


def _tone(one: Look) -> str:
    return "warning" if one.error else "secondary"
