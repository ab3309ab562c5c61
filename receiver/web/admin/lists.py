"""The lists of the admin API: filtered, sorted, a page at a time."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi.models.tag import Tag

from receiver.web.admin import documents, reading
from receiver.web.admin.api import answer, blueprint, refusals
from receiver.web.admin.parameters import (
    AuditQuery,
    DeliveriesQuery,
    LooksQuery,
    NotificationsQuery,
    NumberPath,
    RequestsQuery,
    SetsQuery,
)

_LISTS: list[Tag | dict[str, Any]] = [
    Tag(name="Lists", description="Newest first, or as sort says, a page at a time.")
]
_NOT_FOUND = refusals(404)


@blueprint.get("/request-sets", tags=_LISTS, responses={200: documents.RequestSetPage})
def list_request_sets(query: SetsQuery) -> Response:
    """List the request sets of the key's accounts."""
    return answer(reading.read_request_sets(query))


@blueprint.get(
    "/request-sets/<number>",
    tags=_LISTS,
    responses={200: documents.RequestSetDetail, **_NOT_FOUND},
)
def show_request_set(path: NumberPath) -> Response:
    """Show one request set: what was sent, where it stands, what failed of it."""
    return answer(reading.read_request_set(path.number))


@blueprint.get("/requests", tags=_LISTS, responses={200: documents.RequestPage})
def list_requests(query: RequestsQuery) -> Response:
    """List the requests of the key's accounts."""
    return answer(reading.read_requests(query))


@blueprint.get("/notifications", tags=_LISTS, responses={200: documents.NotificationPage})
def list_notifications(query: NotificationsQuery) -> Response:
    """List what came on the notification URLs of the key's accounts."""
    return answer(reading.read_notifications(query))


@blueprint.get(
    "/notifications/<number>",
    tags=_LISTS,
    responses={200: documents.NotificationDetail, **_NOT_FOUND},
)
def show_notification(path: NumberPath) -> Response:
    """Show one notification with its headers, its body also exactly, in base64."""
    return answer(reading.read_notification(path.number))


@blueprint.get(
    "/notifications/<number>/raw",
    tags=_LISTS,
    responses={
        200: {"description": "OK", "content": {"application/octet-stream": {"schema": {}}}},
        **_NOT_FOUND,
    },
)
def download_notification(path: NumberPath) -> Response:
    """Return the body of a notification as it came, byte by byte, for a download."""
    body = reading.read_notification_body(path.number)
    return reading.as_download(body, number=path.number)


@blueprint.get("/looks", tags=_LISTS, responses={200: documents.LookPage})
def list_looks(query: LooksQuery) -> Response:
    """List the readings at Facebook for the key's accounts."""
    return answer(reading.read_looks(query))


@blueprint.get("/deliveries", tags=_LISTS, responses={200: documents.DeliveryPage})
def list_deliveries(query: DeliveriesQuery) -> Response:
    """List what the callers of the key's accounts were told."""
    return answer(reading.read_deliveries(query))


@blueprint.get(
    "/deliveries/<number>",
    tags=_LISTS,
    responses={200: documents.DeliveryDetail, **_NOT_FOUND},
)
def show_delivery(path: NumberPath) -> Response:
    """Show one delivery with every attempt."""
    return answer(reading.read_delivery(path.number))


@blueprint.get("/audit", tags=_LISTS, responses={200: documents.AuditPage})
def list_audit_entries(query: AuditQuery) -> Response:
    """List what people did in the key's accounts: who, when, what, and how it ended."""
    return answer(reading.read_audit_entries(query))
