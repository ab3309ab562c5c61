"""Sets and requests as Graph shows them: every field of the node, None for what is absent."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from receiver.graph.serve import select_fields
from receiver.graph.vocabulary import COUNT_FIELDS, REQUEST_SET
from receiver.sandbox.world.request_set import Edge, Member, RequestSet

_REQUEST_TYPES = {
    Edge.ADS: "ASYNC_ADGROUP_CREATION",
    Edge.CREATIVES: "ASYNC_ADGROUP_CREATION",
    Edge.BATCH: "BATCH_API",
}


# Most things of a set share their times, and strftime is what a page would spend most on.
@lru_cache(maxsize=4096)
def graph_time(time: datetime) -> str:
    """Write a time as Graph does: ``2026-01-02T03:04:05+0000``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000")


def set_record(request_set: RequestSet) -> dict[str, Any]:
    """Return every field of a request set. Ids are strings, as in real traffic."""
    return {
        "id": request_set.id,
        "owner_id": request_set.account_id,
        "name": request_set.name,
        "is_completed": request_set.is_completed,
        "total_count": len(request_set.requests),
        **{field: request_set.counts[field] for field in COUNT_FIELDS},
        "notification_uri": request_set.notification_uri,
        "notification_mode": request_set.notification_mode,
        "notification_result": request_set.notification.result,
        "notification_status": request_set.notification.status,
        "created_time": graph_time(request_set.created_time),
        "updated_time": graph_time(request_set.updated_time),
    }


def request_record(member: Member) -> dict[str, Any]:
    """Return every field of a request; its set's default fields when they are called for."""
    request_set, request = member
    return {
        "id": request.id,
        "scope_object_id": request.scope_object_id,
        "status": request.status,
        "result": request.result,
        "input": {
            "account_id": int(request_set.account_id),
            **request.work.shown,
            "platform_version": request_set.platform_version,
        },
        "async_request_set": partial(_default_fields, request_set),
        "type": _REQUEST_TYPES[request_set.edge],
        "created_time": graph_time(request.created_time),
        "updated_time": graph_time(request.updated_time),
    }


def _default_fields(request_set: RequestSet) -> dict[str, Any]:
    return select_fields(set_record(request_set), REQUEST_SET.default_fields)
