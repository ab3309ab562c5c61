"""Request sets: made on an account's edges, listed, read, changed and cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.graph import serve
from receiver.graph.vocabulary import REQUEST_SET
from receiver.sandbox.calls import errors
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.records import set_record
from receiver.sandbox.views.requests import cancel_all, list_requests
from receiver.sandbox.world.notification import NOT_SENT
from receiver.sandbox.world.request_set import Edge, Member, RequestSet
from receiver.sandbox.world.work import ad_work
from receiver.sandbox.world.world import Account, SetPlan


def create_ads(context: Context, account: Account) -> Json:
    """``POST /act_<id>/asyncadrequestsets``."""
    new = serve.parse_new_set(context.parameters)
    works = [ad_work(account.id, spec) for spec in new.ad_specs]
    return create(
        context,
        account,
        SetPlan(new.name, works, Edge.ADS, new.notification_uri, new.notification_mode),
    )


def create(context: Context, account: Account, plan: SetPlan) -> Json:
    """Make a set and answer its create."""
    fields = context.fields_after_write(KIND)
    request_set = context.world.create_set(
        account.id, plan, version=context.call.version, now=context.now
    )
    return context.show(request_set, fields)


def list_ad_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/asyncadrequestsets``."""
    return list_sets(context, account, edge_call, made_on=Edge.ADS)


def list_sets(context: Context, account: Account, edge_call: EdgeCall, *, made_on: Edge) -> Json:
    """List an account's sets that were made on one edge, as the account's behaviour says."""
    parameters = edge_call.parameters
    wanted = serve.parse_flag(parameters.get("is_completed"), name="is_completed")
    if not parameters.get("after") and not parameters.get("before"):
        _count_list_read(context, account.sets)
    behaviour = account.settings.edge
    return context.page(
        edge_call,
        account.sets_in_order(),
        kind=KIND,
        keep=lambda each: (
            each.edge == made_on
            and wanted in (None, each.is_completed)
            and behaviour.lists(each.created_time, now=context.now)
        ),
        newest_first=behaviour.order == "newest_first",
    )


def _count_list_read(context: Context, sets: list[RequestSet]) -> None:
    """Count the list's first page as one read of each of the account's open sets."""
    for request_set in sets:
        if not request_set.is_completed:
            context.world.note_read(request_set, now=context.now)


def _record(context: Context, request_set: RequestSet) -> Json:
    behaviour = context.world.account(request_set.account_id).settings.edge
    shown_uri = behaviour.shown_uri(request_set.notification_uri)
    return {**set_record(request_set), "notification_uri": shown_uri}


def _list_requests(context: Context, request_set: RequestSet, edge_call: EdgeCall) -> Json:
    return list_requests(context, _members(request_set), edge_call)


def _members(request_set: RequestSet) -> list[Member]:
    return [Member(request_set, request) for request in request_set.requests]


def _update(context: Context, request_set: RequestSet) -> Json:
    """Change ``name`` at any time, the rest before the notification is sent (Facebook's page)."""
    parameters: Mapping[str, Any] = context.parameters
    name = serve.parse_name(parameters) if "name" in parameters else request_set.name
    mode = serve.parse_mode(parameters)
    uri = serve.parse_notification_uri(parameters)
    if (mode or uri) and request_set.notification.status != NOT_SENT:
        raise errors.refused_change("The notification of this request set was already sent.")
    mode, uri = mode or request_set.notification_mode, uri or request_set.notification_uri
    serve.check_notification(mode=mode, uri=uri)
    request_set.name = name
    request_set.notification_mode, request_set.notification_uri = mode, uri
    request_set.updated_time = context.now
    return {"success": True}


def _delete(context: Context, request_set: RequestSet) -> Json:
    """Cancel what is not processed yet."""
    return cancel_all(context, _members(request_set))


def _note_read(context: Context, request_set: RequestSet) -> None:
    context.world.note_read(request_set, now=context.now)


KIND = Kind(
    REQUEST_SET,
    record=_record,
    edges={"requests": _list_requests},
    update=_update,
    delete=_delete,
    note_read=_note_read,
)
