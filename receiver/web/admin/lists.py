"""The lists of the admin API: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Response
from flask_openapi.models.tag import Tag

from receiver.store import details
from receiver.store.lists import messages, paging, request_sets, requests
from receiver.store.lists.messages import MessageFilter
from receiver.store.lists.paging import Count, Listing
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from receiver.web.admin import documents
from receiver.web.admin.api import answer, blueprint, holder, refusals
from receiver.web.admin.cursors import BadCursor, read_cursor, write_cursor
from receiver.web.admin.parameters import (
    AccountQuery,
    AuditQuery,
    DeliveriesQuery,
    LooksQuery,
    NotificationsQuery,
    NumberPath,
    PageQuery,
    RequestFilters,
    RequestsQuery,
    SetFilters,
    SetsQuery,
)
from receiver.web.admin.problems import Problem
from receiver.web.context import parts

Row = Mapping[str, Any]
_LISTS: list[Tag | dict[str, Any]] = [
    Tag(name="Lists", description="Newest first, a page at a time.")
]
_NOT_FOUND = refusals(404)


@blueprint.get("/request-sets", tags=_LISTS, responses={200: documents.RequestSetPage})
def list_request_sets(query: SetsQuery) -> Response:
    """List the request sets of the key's accounts."""
    listing = request_sets.listing(
        set_filter(query), sort=query.sort.lstrip("-"), is_descending=_is_descending(query.sort)
    )
    shape = partial(documents.set_row, now=parts().now())
    return _page(listing, query, sort=query.sort, document=documents.RequestSetPage, shape=shape)


@blueprint.get(
    "/request-sets/<number>",
    tags=_LISTS,
    responses={200: documents.RequestSetDetail, **_NOT_FOUND},
)
def show_request_set(path: NumberPath) -> Response:
    """Show one request set: what was sent, where it stands, what failed of it."""
    with parts().database.reading() as session:
        found = details.request_set(session, path.number, account_ids=holder().account_ids)
    if found is None:
        raise Problem(404, f"There is no request set {path.number} in your accounts.")
    errors = [{**row, **documents.error_in_words(row["error_code"])} for row in found["errors"]]
    row = documents.set_row({**found, "errors": errors}, now=parts().now())
    return answer(documents.RequestSetDetail.model_validate(row))


@blueprint.get("/requests", tags=_LISTS, responses={200: documents.RequestPage})
def list_requests(query: RequestsQuery) -> Response:
    """List the requests of the key's accounts."""
    listing = requests.listing(request_filter(query), is_descending=_is_descending(query.sort))
    return _page(
        listing,
        query,
        sort=query.sort,
        document=documents.RequestPage,
        shape=documents.request_row,
    )


@blueprint.get("/notifications", tags=_LISTS, responses={200: documents.NotificationPage})
def list_notifications(query: NotificationsQuery) -> Response:
    """List what came on the notification URLs of the key's accounts."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        verdicts=query.verdict,
        between=query.between(),
    )
    listing = messages.notifications(wanted, is_descending=_is_descending(query.sort))
    return _page(
        listing,
        query,
        sort=query.sort,
        document=documents.NotificationPage,
        shape=documents.notification_row,
    )


@blueprint.get(
    "/notifications/<number>",
    tags=_LISTS,
    responses={200: documents.NotificationDetail, **_NOT_FOUND},
)
def show_notification(path: NumberPath) -> Response:
    """Show one notification with its headers, its body also exactly, in base64."""
    return answer(documents.NotificationDetail.model_validate(_notification(path.number)))


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
    row = _notification(path.number)
    return Response(
        row["body"],
        content_type="application/octet-stream",
        headers={
            # What a stranger sent is never shown by a browser as a page of ours.
            "Content-Disposition": f'attachment; filename="notification-{path.number}.bin"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


def _notification(number: int) -> dict[str, Any]:
    with parts().database.reading() as session:
        found = details.notification(session, number, account_ids=holder().account_ids)
    if found is None:
        raise Problem(404, f"There is no notification {number} of your accounts.")
    return documents.notification_row(found)


@blueprint.get("/looks", tags=_LISTS, responses={200: documents.LookPage})
def list_looks(query: LooksQuery) -> Response:
    """List the readings at Facebook for the key's accounts."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        verdicts=query.verdict,
        kinds=query.kind,
        causes=query.why,
        has_error=query.with_errors,
        between=query.between(),
    )
    listing = messages.looks(wanted, is_descending=_is_descending(query.sort))
    return _page(listing, query, sort=query.sort, document=documents.LookPage)


@blueprint.get("/deliveries", tags=_LISTS, responses={200: documents.DeliveryPage})
def list_deliveries(query: DeliveriesQuery) -> Response:
    """List what the callers of the key's accounts were told."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        states=query.state,
        between=query.between(),
    )
    listing = messages.deliveries(wanted, is_descending=_is_descending(query.sort))
    return _page(listing, query, sort=query.sort, document=documents.DeliveryPage)


@blueprint.get(
    "/deliveries/<number>",
    tags=_LISTS,
    responses={200: documents.DeliveryDetail, **_NOT_FOUND},
)
def show_delivery(path: NumberPath) -> Response:
    """Show one delivery with every attempt."""
    with parts().database.reading() as session:
        found = details.delivery(session, path.number, account_ids=holder().account_ids)
    if found is None:
        raise Problem(404, f"There is no delivery {path.number} of your accounts.")
    return answer(documents.DeliveryDetail.model_validate(found))


@blueprint.get("/audit", tags=_LISTS, responses={200: documents.AuditPage})
def list_audit_entries(query: AuditQuery) -> Response:
    """List what people did in the key's accounts: who, when, what, and how it ended."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        actions=query.action,
        between=query.between(),
    )
    listing = messages.audit_entries(wanted, is_descending=_is_descending(query.sort))
    return _page(listing, query, sort=query.sort, document=documents.AuditPage)


def account_ids(query: AccountQuery) -> frozenset[int]:
    """Return the accounts that a call is about: of those asked for, the key's."""
    mine = holder().account_ids
    return mine & set(query.account) if query.account else mine


def set_filter(query: SetFilters) -> SetFilter:
    """Return what a list of sets is narrowed to."""
    return SetFilter(
        account_ids(query),
        numbers=query.request_set,
        facebook_id=query.facebook_id,
        parent_id=query.parent,
        states=query.state,
        verdicts=query.verdict,
        edges=query.kind,
        learned_by=query.learned_by,
        name=query.name,
        created=query.between(),
        completed=query.completed(),
        late_at=parts().now() if query.late else None,
        has_errors=query.with_errors,
    )


def request_filter(query: RequestFilters) -> RequestFilter:
    """Return what a list of requests is narrowed to."""
    return RequestFilter(
        account_ids(query),
        ids=query.id,
        request_set_id=query.request_set,
        scope_object_id=query.ad_set,
        created_object_id=query.created_object,
        statuses=query.status,
        error_codes=query.error_code,
    )


def _is_descending(sort: str) -> bool:
    return sort.startswith("-")


def _page(
    listing: Listing,
    query: PageQuery,
    *,
    sort: str,
    document: type[documents.Page],
    shape: Callable[[Row], Row] = dict,
) -> Response:
    try:
        after = None if query.cursor is None else read_cursor(query.cursor, sort=sort)
    except BadCursor as error:
        raise Problem(400, f"cursor: {error}") from error
    with parts().database.reading() as session:
        page = paging.read_page(session, listing, after=after, limit=query.limit)
        counted = paging.count(session, listing) if query.count else None
    return answer(
        document.model_validate(
            {
                "data": [shape(row) for row in page.rows],
                "next_cursor": page.next_key and write_cursor(page.next_key, sort=sort),
                "is_partial": page.is_partial,
                "count": counted and _counted(counted),
            }
        )
    )


def _counted(counted: Count) -> dict[str, Any]:
    return {"at_least": counted.at_least, "is_exact": counted.is_exact}
