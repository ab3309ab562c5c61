"""What Graph answers to each call on the sets of an account and on their requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.graph import serve
from receiver.graph.vocabulary import REQUEST, REQUEST_SET
from receiver.sandbox import errors
from receiver.sandbox.graph_call import GraphCall
from receiver.sandbox.pages import Page, take_page
from receiver.sandbox.records import request_record, set_record
from receiver.sandbox.request_set import INITIAL, NOT_SENT, Request, RequestSet
from receiver.sandbox.world import World

Overrides = Mapping[str, Mapping[str, Any]]
Member = tuple[RequestSet, Request]

_ACCOUNT_PATH = re.compile(r"/act_([0-9]{1,20})(/.*)?")


@dataclass(frozen=True)
class Context:
    """What a view works on. The caller holds the world's lock."""

    world: World
    overrides: Overrides
    call: GraphCall
    now: datetime

    def show_set(self, request_set: RequestSet, fields: tuple[str, ...]) -> dict[str, Any]:
        self.world.refresh(request_set, now=self.now)
        record = {**set_record(request_set), **self.overrides.get(request_set.id, {})}
        return serve.select_fields(record, fields)

    def show_request(self, member: Member, fields: tuple[str, ...]) -> dict[str, Any]:
        record = {**request_record(*member), **self.overrides.get(member[1].id, {})}
        return serve.select_fields(record, fields)


def account_of(world: World, path: str) -> str | None:
    """Return the id of the account that a call's path is about; None when nobody knows."""
    account = _ACCOUNT_PATH.fullmatch(path)
    return account[1] if account else world.account_of(path.split("/")[1])


def answer(context: Context) -> dict[str, Any]:
    """Do what the call asks for and return the answer's JSON.

    Raises GraphFault and BadParameter.
    """
    call = context.call
    for method, pattern, view in _ROUTES:
        match = pattern.fullmatch(call.path)
        if match and method == call.method:
            return view(context, match[1])
    if _NODE_PATH.fullmatch(call.path):
        raise errors.no_such_object(call.method, call.object_id)
    raise errors.unknown_path(call.path)


def _create_set(context: Context, account_id: str) -> dict[str, Any]:
    parameters = context.call.parameters
    fields = _fields_after_write(parameters)
    new = serve.parse_new_set(parameters)
    request_set = context.world.create_set(
        account_id, new, version=context.call.version, now=context.now
    )
    return context.show_set(request_set, fields)


def _fields_after_write(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a create answers: the id, and with ``fields`` a read of the new set."""
    if parameters.get("fields") in (None, ""):
        return ("id",)
    return serve.parse_fields(parameters["fields"], node=REQUEST_SET)


def _list_sets(context: Context, account_id: str) -> dict[str, Any]:
    parameters = context.call.parameters
    fields = serve.parse_fields(parameters.get("fields"), node=REQUEST_SET)
    wanted = serve.parse_flag(parameters.get("is_completed"), name="is_completed")
    sets = context.world.account(account_id).sets
    if not parameters.get("after") and not parameters.get("before"):
        _count_list_read(context, sets)
    page = take_page(
        sets,
        newest_first=True,
        keep=lambda each: wanted is None or each.is_completed == wanted,
        **_place(parameters),
    )
    return _page_answer(context, page, lambda each: context.show_set(each, fields))


def _count_list_read(context: Context, sets: list[RequestSet]) -> None:
    """Count the list's first page as one read of each of the account's open sets."""
    for request_set in sets:
        if not request_set.is_completed:
            context.world.note_read(request_set, now=context.now)


def _read_node(context: Context, object_id: str) -> dict[str, Any]:
    fields = context.call.parameters.get("fields")
    request_set = context.world.find_set(object_id)
    if request_set is not None:
        set_fields = serve.parse_fields(fields, node=REQUEST_SET)
        context.world.note_read(request_set, now=context.now)
        return context.show_set(request_set, set_fields)
    member = _find_request(context, object_id)
    return context.show_request(member, serve.parse_fields(fields, node=REQUEST))


def _list_requests_of_set(context: Context, set_id: str) -> dict[str, Any]:
    request_set = _find_set(context, set_id)
    return _list_requests(context, [(request_set, request) for request in request_set.requests])


def _list_requests_of_ad_set(context: Context, ad_set_id: str) -> dict[str, Any]:
    members = context.world.requests_under(ad_set_id)
    if not members:
        raise errors.no_such_object(context.call.method, ad_set_id)
    for request_set, _ in members:
        context.world.refresh(request_set, now=context.now)
    return _list_requests(context, members)


def _list_requests(context: Context, members: list[Member]) -> dict[str, Any]:
    parameters = context.call.parameters
    fields = serve.parse_fields(parameters.get("fields"), node=REQUEST)
    statuses = serve.parse_statuses(parameters)
    page = take_page(
        members,
        keep=lambda member: statuses is None or member[1].status in statuses,
        **_place(parameters),
    )
    return _page_answer(context, page, lambda member: context.show_request(member, fields))


def _place(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "limit": serve.parse_limit(parameters.get("limit")),
        "after": serve.decode_cursor(parameters, "after"),
        "before": serve.decode_cursor(parameters, "before"),
    }


def _page_answer(
    context: Context, page: Page[Any], show: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    return serve.page_answer(
        [show(member) for member in page.members],
        first=page.first,
        last=page.last,
        has_next=page.has_next,
        has_previous=page.has_previous,
        url=context.call.address,
        parameters=context.call.link_parameters,
    )


def _update_set(context: Context, set_id: str) -> dict[str, Any]:
    parameters = context.call.parameters
    request_set = _find_set(context, set_id)
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


def _cancel(context: Context, object_id: str) -> dict[str, Any]:
    if context.world.find_set(object_id) is None:
        members = [_find_request(context, object_id)]
    else:
        request_set = _find_set(context, object_id)
        members = [(request_set, request) for request in request_set.requests]
    open_members = [member for member in members if member[1].status == INITIAL]
    if not open_members:
        raise errors.refused_change("Only a request that is not processed yet can be canceled.")
    for member in open_members:
        context.world.cancel(*member, now=context.now)
    return {"success": True}


def _note_crash_report(_context: Context, _app_id: str) -> dict[str, Any]:
    """Take the crash report that the official SDK sends by default."""
    return {"success": True}


def _find_set(context: Context, set_id: str) -> RequestSet:
    request_set = context.world.find_set(set_id)
    if request_set is None:
        raise errors.no_such_object(context.call.method, set_id)
    context.world.refresh(request_set, now=context.now)
    return request_set


def _find_request(context: Context, request_id: str) -> Member:
    member = context.world.find_request(request_id)
    if member is None:
        raise errors.no_such_object(context.call.method, request_id)
    context.world.refresh(member[0], now=context.now)
    return member


View = Callable[[Context, str], dict[str, Any]]

_NODE_PATH = re.compile(r"/((?:act_)?[0-9]{1,20})")
_ROUTES: tuple[tuple[str, re.Pattern[str], View], ...] = tuple(
    (method, re.compile(pattern), view)
    for method, pattern, view in (
        ("POST", r"/act_([0-9]{1,20})/asyncadrequestsets", _create_set),
        ("GET", r"/act_([0-9]{1,20})/asyncadrequestsets", _list_sets),
        ("GET", r"/([0-9]{1,20})", _read_node),
        ("GET", r"/([0-9]{1,20})/requests", _list_requests_of_set),
        ("GET", r"/([0-9]{1,20})/asyncadrequests", _list_requests_of_ad_set),
        ("POST", r"/([0-9]{1,20})", _update_set),
        ("DELETE", r"/([0-9]{1,20})", _cancel),
        ("POST", r"/([0-9]{1,20})/instruments", _note_crash_report),
    )
)
