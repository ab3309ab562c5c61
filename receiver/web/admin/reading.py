"""Read what a key may see as documents, for the admin API and the dashboard alike.

Everything here raises Problem for what is not there or cannot be meant, and DatabaseAway.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response

from receiver.lifecycle import story
from receiver.lifecycle.story import Story
from receiver.store import action_plans, details
from receiver.store.lists import messages, request_sets, requests
from receiver.store.lists.messages import MessageFilter
from receiver.store.lists.paging import Listing
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from receiver.web.admin import documents, filters, list_pages
from receiver.web.admin.cursors import BadCursor
from receiver.web.admin.holder import actor, holder
from receiver.web.admin.list_pages import PageT, Shape
from receiver.web.admin.parameters import (
    AccountQuery,
    AuditQuery,
    DeliveriesQuery,
    LooksQuery,
    NotificationsQuery,
    PageQuery,
    RequestFilters,
    RequestsQuery,
    SetFilters,
    SetsQuery,
)
from receiver.web.admin.problems import Problem
from receiver.web.context import parts

_ITEMS_SHOWN = 100


def read_request_sets(query: SetsQuery) -> documents.RequestSetPage:
    """Return a page of request sets."""
    listing = request_sets.listing(
        set_filter(query), sort=query.sorted_by, is_descending=query.is_descending
    )
    shape = partial(documents.set_row, now=parts().now())
    return _page(listing, query, document=documents.RequestSetPage, shape=shape)


def read_request_set(number: int) -> documents.RequestSetDetail:
    """Return one request set with all that belongs to it."""
    with parts().database.reading() as session:
        found = details.request_set(session, number, account_ids=holder().account_ids)
    if found is None:
        raise no_such_set(number)
    return documents.set_detail(found, now=parts().now())


def read_story(number: int) -> Story:
    """Show one request set with what happened to it."""
    told = story.read_story(parts().database, number, account_ids=holder().account_ids)
    if told is None:
        raise no_such_set(number)
    return told


def no_such_set(number: int) -> Problem:
    """Return the refusal of a set that the key may not see, whether or not there is one."""
    return Problem(404, f"There is no request set {number} in your accounts.")


def read_requests(query: RequestsQuery) -> documents.RequestPage:
    """Return a page of requests, each with its error in words."""
    listing = requests.listing(request_filter(query), is_descending=query.is_descending)
    return _page(
        listing,
        query,
        document=documents.RequestPage,
        shape=documents.request_row,
    )


def read_notifications(query: NotificationsQuery) -> documents.NotificationPage:
    """Return a page of notifications, without their headers."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        verdicts=query.verdict,
        between=query.between(),
    )
    listing = messages.notifications(wanted, is_descending=query.is_descending)
    return _page(
        listing,
        query,
        document=documents.NotificationPage,
    )


def read_notification(number: int) -> documents.NotificationDetail:
    """Return one notification with its headers."""
    return documents.notification_detail(_notification(number))


def read_notification_body(number: int) -> bytes:
    """Return the body of a notification as it came. Raises Problem."""
    body: bytes = _notification(number)["body"]
    return body


def as_download(body: bytes, *, number: int) -> Response:
    """Answer with what a stranger sent: a browser never shows it as a page of ours."""
    return Response(
        body,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="notification-{number}.bin"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


def read_looks(query: LooksQuery) -> documents.LookPage:
    """Return a page of looks."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        verdicts=query.verdict,
        kinds=query.kind,
        causes=query.why,
        has_error=query.with_errors,
        between=query.between(),
    )
    listing = messages.looks(wanted, is_descending=query.is_descending)
    return _page(listing, query, document=documents.LookPage)


def read_deliveries(query: DeliveriesQuery) -> documents.DeliveryPage:
    """Return a page of deliveries, without their attempts."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        states=query.state,
        between=query.between(),
    )
    listing = messages.deliveries(wanted, is_descending=query.is_descending)
    return _page(listing, query, document=documents.DeliveryPage)


def read_delivery(number: int) -> documents.DeliveryDetail:
    """Return one delivery with its attempts."""
    with parts().database.reading() as session:
        found = details.delivery(session, number, account_ids=holder().account_ids)
    if found is None:
        raise Problem(404, f"There is no delivery {number} of your accounts.")
    return documents.DeliveryDetail.model_validate(found)


def read_audit_entries(query: AuditQuery) -> documents.AuditPage:
    """Return a page of the audit log."""
    wanted = MessageFilter(
        account_ids(query),
        request_set_id=query.request_set,
        actions=query.action,
        between=query.between(),
    )
    listing = messages.audit_entries(wanted, is_descending=query.is_descending)
    return _page(listing, query, document=documents.AuditPage)


def read_plan(plan_id: str) -> documents.Plan:
    """Show how far a plan of the key is, with the sets of it that ended otherwise than well."""
    with parts().database.reading() as session:
        found = action_plans.find(session, plan_id, by=actor())
        items = action_plans.items(session, plan_id, limit=_ITEMS_SHOWN)
    if found is None:
        raise Problem(404, "There is no such plan of yours.")
    return documents.Plan.model_validate({**found, "items": items})


def _notification(number: int) -> dict[str, Any]:
    with parts().database.reading() as session:
        found = details.notification(session, number, account_ids=holder().account_ids)
    if found is None:
        raise Problem(404, f"There is no notification {number} of your accounts.")
    return found


def account_ids(query: AccountQuery) -> frozenset[int]:
    """Return the accounts that a call is about: of those asked for, the key's."""
    return filters.accounts_of(query, holder().account_ids)


def set_filter(query: SetFilters) -> SetFilter:
    """Return what a list of sets is narrowed to."""
    return filters.of_sets(query, holder().account_ids, now=parts().now())


def request_filter(query: RequestFilters) -> RequestFilter:
    """Return what a list of requests is narrowed to."""
    return filters.of_requests(query, holder().account_ids)


def _page(
    listing: Listing,
    query: PageQuery,
    *,
    document: type[PageT],
    shape: Shape = dict,
) -> PageT:
    try:
        return list_pages.read(parts().database, listing, query, document=document, shape=shape)
    except BadCursor as error:
        raise Problem(400, f"cursor: {error}") from error
