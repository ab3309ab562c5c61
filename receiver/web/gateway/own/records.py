"""A set and a request as their caller sees them (pure): Graph records from rows.

The caller's own name, URI and mode stand in for ours, and what became of the notification is what
became of its delivery to the caller. A set is complete for its caller when every result can be
read here.
"""

from __future__ import annotations

import json
from typing import Any

from receiver.graph import serve
from receiver.store.models import Delivery, Request, RequestSet

Json = dict[str, Any]


def set_record(row: RequestSet, delivery: Delivery | None) -> dict[str, Any]:
    """Return a set with every field of the node; a field without a value is None."""
    counted = row.total_count is not None
    notification_status, notification_result = view_of(delivery)
    return {
        "id": str(row.facebook_id),
        "owner_id": str(row.owner_id or row.account_id),
        "name": row.name,
        "is_completed": row.collected_at is not None,
        "total_count": row.total_count if counted else row.spec_count,
        # Before the first look nothing is known but that all of it was sent.
        "initial_count": row.initial_count if counted else row.spec_count,
        "in_progress_count": row.in_progress_count if counted else 0,
        "success_count": row.success_count if counted else 0,
        "error_count": row.error_count if counted else 0,
        "canceled_count": row.canceled_count if counted else 0,
        "notification_uri": row.caller_notification_uri,
        "notification_mode": row.caller_notification_mode,
        "notification_status": notification_status,
        "notification_result": notification_result,
        "created_time": row.created_time or _graph_time(row),
        "updated_time": row.updated_time or row.created_time or _graph_time(row),
    }


def view_of(delivery: Delivery | None) -> tuple[str, Json | None]:
    """Return ``notification_status`` and ``notification_result``: Facebook's words for ours."""
    if delivery is None or not delivery.attempts:
        return "NOT_SENT", None
    if delivery.result_status is None:
        return "SENDING", None
    result = {"status": delivery.result_status, "response": delivery.result_response or ""}
    return ("SENDING" if delivery.ended_at is None else "SENT"), result


def _graph_time(row: RequestSet) -> str:
    """When the set was opened, until Facebook's own time is known."""
    return (row.opened_at or row.created_at).strftime("%Y-%m-%dT%H:%M:%S+0000")


def listed_record(record: dict[str, Any], *, edge: str | None) -> dict[str, Any]:
    """Return a set as ``async_requests`` lists it; ``edge`` is where it was made, if we know."""
    status = serve.listed_status(
        total_count=_count(record, "total_count"),
        initial_count=_count(record, "initial_count"),
        error_count=_count(record, "error_count"),
        is_completed=bool(record.get("is_completed")),
    )
    kind = None if edge is None else int(serve.LISTED_TYPES[edge])
    return {**record, "status": int(status), "type": kind}


def _count(record: dict[str, Any], name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) else 0


def request_record(row: Request, *, request_set: dict[str, Any]) -> dict[str, Any]:
    """Return a request with every field of the node; a field without a value is None."""
    return {
        "id": str(row.id),
        "scope_object_id": None if row.scope_object_id is None else str(row.scope_object_id),
        "status": row.status,
        "result": _json(row.result),
        "input": _json(row.input),
        "async_request_set": request_set,
        "type": row.type,
        "created_time": row.created_time,
        "updated_time": row.updated_time,
    }


def _json(data: bytes | None) -> Any:
    return None if data is None else json.loads(data)
