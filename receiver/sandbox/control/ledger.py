"""The ledger: what Facebook really has, for an outside program to compare with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from receiver.sandbox.calls.ids import account_number
from receiver.sandbox.world.notification import Attempt
from receiver.sandbox.world.request_set import Request, RequestSet
from receiver.sandbox.world.world import World


def ledger(world: World, *, account: str | None) -> dict[str, Any]:
    """Return ``{"sets": […]}``, oldest first, of one account or of all. Times are ISO 8601."""
    wanted = None if account is None else account_number(account) or account
    shown = (each for each in world.sets if wanted in (None, each.account_id))
    return {"sets": [_set_entry(request_set) for request_set in shown]}


def _set_entry(request_set: RequestSet) -> dict[str, Any]:
    completed = request_set.completed_time
    return {
        "id": request_set.id,
        "account": request_set.account_id,
        "name": request_set.name,
        "notification_uri": request_set.notification_uri,
        "notification_mode": request_set.notification_mode,
        "notification_status": request_set.notification.status,
        "notification_result": request_set.notification.result,
        "notification_attempts": [_attempt_entry(a) for a in request_set.notification.attempts],
        "created_time": request_set.created_time.isoformat(),
        "completed_time": None if completed is None else completed.isoformat(),
        "requests": [_request_entry(request) for request in request_set.requests],
    }


def _attempt_entry(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "time": attempt.time.isoformat()}


def _request_entry(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "scope_object_id": request.scope_object_id,
        "status": request.status,
        "result": request.result,
    }
