"""The story of one set, read out of SQL: what happened when, and why requests of it failed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.graph.errors import Advice, advice, find_row
from receiver.graph.json_values import read_integer
from receiver.store import details, progress, reports
from receiver.store.database import Database, Session
from receiver.store.lists import messages, paging
from receiver.store.lists.messages import MessageFilter
from receiver.store.lists.paging import Listing, Page
from receiver.store.models import Delivery, Request

_MOST = 20
"""How many notifications, looks and actions are told of: the newest."""

_MOST_EXAMPLES = 3

_READ = {
    "set": "the set",
    "requests": "its requests",
    "edge": "its account's list",
    "sweep": "its account's list",
    "create": "it was to be sent again",
}
"""What a look reads, in words, by its kind."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a set, in a few words."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Failure:
    """The failed requests of a set with one error; ``meaning`` is None for an unknown code."""

    code: int | None
    subcode: int | None
    count: int
    message: str | None
    meaning: str | None
    advice: Advice
    request_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """A set with all that is told of it; ``row`` is what ``details.request_set`` returns."""

    row: dict[str, Any]
    events: list[Event]
    delivery: Delivery | None
    has_more: bool
    """Whether older notifications or looks are left out."""


def read_story(
    database: Database, request_set_id: int, *, account_ids: Collection[int]
) -> Story | None:
    """Read the story of a set, by our number; None without one in some accounts.

    Raises DatabaseAway.
    """
    with database.reading() as session:
        row = details.request_set(session, request_set_id, account_ids=account_ids)
        if row is None:
            return None
        wanted = MessageFilter(account_ids, request_set_id=request_set_id)
        came = _newest(session, messages.notifications(wanted))
        looks = _newest(session, messages.looks(wanted))
        done = _newest(session, messages.audit_entries(wanted))
        delivery = reports.deliveries_of(session, [request_set_id]).get(request_set_id)
        return Story(
            row,
            events=sorted(
                [
                    # The lists begin with the newest; what is of one moment stays in its order.
                    *_events(row, came.rows[::-1], looks.rows[::-1], delivery),
                    *map(_deed, done.rows[::-1]),
                ],
                key=lambda event: event.at,
            ),
            delivery=delivery,
            has_more=any(page.next_key is not None for page in (came, looks, done)),
        )


def _newest(session: Session, listing: Listing) -> Page:
    return paging.read_page(session, listing, after=None, limit=_MOST)


def _events(
    row: dict[str, Any],
    came: list[dict[str, Any]],
    looks: list[dict[str, Any]],
    delivery: Delivery | None,
) -> list[Event]:
    """Return what happened; of the same moment, first what comes first in a set's life."""
    events = [Event(row["created_at"], "created")]
    for submission in row["submissions"]:
        events += _submitted(submission)
    events += _reached(row, "opened", detail=f"as {row['facebook_id']}")
    events += [
        Event(one["received_at"], "notified", f"from {one['remote_address']}") for one in came
    ]
    events += [Event(one["started_at"], "looked at", _look(one)) for one in looks]
    events += _reached(row, "completed", detail=f"learned by {row['learned_by']}")
    events += _reached(row, "collected", detail=row["flag"] or "")
    events += _reached(row, "doubled", detail="a second set of it was found at Facebook")
    events += _reached(row, "abandoned", detail=row["state_reason"] or "")
    if delivery is not None:
        events += _delivered(delivery)
    return events


def _deed(entry: dict[str, Any]) -> Event:
    told = "; ".join(text for text in (entry["detail"], entry["outcome"], entry["note"]) if text)
    return Event(entry["at"], entry["action"], f"by {entry['actor']}: {told}")


def _submitted(submission: dict[str, Any]) -> Iterator[Event]:
    number = submission["attempt"]
    yield Event(submission["created_at"], "submitted", f"attempt {number}")
    if submission["answered_at"] is not None:
        reason = f": {submission['error']}" if submission["error"] else ""
        detail = f"attempt {number} is {submission['outcome']}{reason}"
        yield Event(submission["answered_at"], "answered", detail)


def _reached(row: dict[str, Any], what: str, *, detail: str) -> list[Event]:
    at = row[f"{what}_at"]
    return [] if at is None else [Event(at, what, detail)]


def _look(look: dict[str, Any]) -> str:
    """Say what was read, why, and what it showed."""
    seen = look["error"] or f"{look['rows']} rows"
    if look["verdict"] is not None and look["error"] is None:
        seen = f"notification {look['verdict']}"
    return f"{_READ.get(look['kind'], look['kind'])}, by {look['why']}: {seen}"


def _delivered(delivery: Delivery) -> list[Event]:
    events = [Event(delivery.created_at, "to be delivered", "to its caller")]
    if delivery.ended_at is not None:
        tries = f"{delivery.attempts} attempts, the last one: {delivery.result_status}"
        events.append(Event(delivery.ended_at, f"delivery {delivery.state}", tries))
    return events


def read_failures(database: Database, request_set_id: int) -> list[Failure]:
    """Read the failed requests of a set by their error, the most frequent first.

    Every failed request is read with its result: for a person who asks once. Raises DatabaseAway.
    """
    groups: dict[tuple[int | None, int | None], list[Request]] = defaultdict(list)
    with database.reading() as session:
        for request in progress.failed_requests(session, request_set_id):
            groups[request.error_code, _subcode(request)].append(request)
    failures = [_failure(code, subcode, group) for (code, subcode), group in groups.items()]
    return sorted(failures, key=lambda failure: -failure.count)


def _subcode(request: Request) -> int | None:
    try:
        result = json.loads(request.result or b"null")
    except ValueError:
        return None
    return read_integer(result.get("error_subcode")) if isinstance(result, dict) else None


def _failure(code: int | None, subcode: int | None, group: list[Request]) -> Failure:
    known = find_row(code, subcode)
    return Failure(
        code,
        subcode,
        count=len(group),
        message=group[0].error_message or group[0].status,
        meaning=None if known is None else known.meaning,
        advice=advice(code, subcode, is_transient=False, http_status=0),
        request_ids=[request.id for request in group[:_MOST_EXAMPLES]],
    )
