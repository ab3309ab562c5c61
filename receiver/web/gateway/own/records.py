"""A set and a request as their caller sees them (pure): Graph records from rows.

The caller's own name, URI and mode stand in for ours. A set is complete for its caller when every
result can be read here.
"""

from __future__ import annotations

import json
from typing import Any

from receiver.store import intents
from receiver.store.models import Request, RequestSet


def set_record(row: RequestSet) -> dict[str, Any]:
    """Return a set with every field of the node; a field without a value is None."""
    counted = row.total_count is not None
    return {
        "id": str(row.facebook_id),
        "owner_id": str(row.owner_id or row.account_id),
        "name": row.name,
        "is_completed": row.state == intents.COLLECTED,
        "total_count": row.total_count if counted else row.spec_count,
        # Before the first look nothing is known but that all of it was sent.
        "initial_count": row.initial_count if counted else row.spec_count,
        "in_progress_count": row.in_progress_count if counted else 0,
        "success_count": row.success_count if counted else 0,
        "error_count": row.error_count if counted else 0,
        "canceled_count": row.canceled_count if counted else 0,
        "notification_uri": row.caller_notification_uri,
        "notification_mode": row.caller_notification_mode,
        "notification_status": row.notification_status,
        "notification_result": _json(row.notification_result),
        "created_time": row.created_time,
        "updated_time": row.updated_time,
    }


def request_record(row: Request, *, set_id: int) -> dict[str, Any]:
    """Return a request with every field of the node; a field without a value is None."""
    return {
        "id": str(row.id),
        "scope_object_id": None if row.scope_object_id is None else str(row.scope_object_id),
        "status": row.status,
        "result": _json(row.result),
        "input": _json(row.input),
        "async_request_set": {"id": str(set_id)},
        "type": row.type,
        "created_time": row.created_time,
        "updated_time": row.updated_time,
    }


def _json(data: bytes | None) -> Any:
    return None if data is None else json.loads(data)
