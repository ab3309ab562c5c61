"""Which view answers a call: a path names a thing, and perhaps an edge of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.sandbox import errors
from receiver.sandbox.graph_call import GraphCall
from receiver.sandbox.objects import GraphObject, ObjectKind
from receiver.sandbox.request_set import RequestSet
from receiver.sandbox.views import accounts, objects, requests, sets
from receiver.sandbox.views.context import Context, Json, Kind, Overrides
from receiver.sandbox.work import Work
from receiver.sandbox.world import Account, World

_ACCOUNT_ID = re.compile(r"act_([0-9]{1,20})")
_OBJECT_ID = re.compile(r"[0-9]{1,20}")
_WRITES = ("POST", "PUT")

_KINDS: Mapping[type, Kind] = {
    RequestSet: sets.KIND,
    tuple: requests.KIND,
    Account: accounts.KIND,
}


def answer(world: World, overrides: Overrides, call: GraphCall, *, now: datetime) -> Json:
    """Do what a call asks for and return the answer's JSON. The caller holds the world's lock.

    Raises GraphFault and BadParameter.
    """
    context = Context(world, overrides, call, now, kind_of=_kind_of, find=_find)
    match call.segments:
        case []:
            return _read_many(context)
        case [object_id]:
            return _answer_node(context, object_id)
        case [_, "instruments"] if context.call.method == "POST":
            return {"success": True}  # the crash report that the official SDK sends by default
        case [object_id, edge]:
            return _answer_edge(context, object_id, edge)
    raise errors.unknown_path(call.path)


def perform(world: World, request_set: RequestSet, work: Work, now: datetime) -> Json:
    """Do the work of a set's request: what the sync call would have answered."""
    version = request_set.platform_version
    call = GraphCall("POST", version, work.path, work.parameters)
    try:
        return answer(world, {}, call, now=now)
    except BadParameter as error:
        raise errors.bad_parameter(error) from error


def account_of(world: World, path: str) -> str | None:
    """Return the id of the account that a call's path is about; None when nobody knows."""
    first = path.split("/")[1] if "/" in path else ""
    account = _ACCOUNT_ID.fullmatch(first)
    return account[1] if account else world.account_of(first)


def _kind_of(thing: Any) -> Kind:
    return objects.KINDS[thing.kind] if isinstance(thing, GraphObject) else _KINDS[type(thing)]


_FIRST_USES = {
    "ads": ObjectKind.AD_SET,
    "asyncadrequests": ObjectKind.AD_SET,
    "adsets": ObjectKind.CAMPAIGN,
    "": ObjectKind.AD,
}
"""What an id that nobody has seen before stands for, by the edge that is asked of it."""


def _find(context: Context, object_id: str, edge: str = "") -> Any:
    """Return the thing with an id; one from elsewhere comes into being with its first use.

    Raises GraphFault.
    """
    world = context.world
    account = _ACCOUNT_ID.fullmatch(object_id)
    if account:
        if not world.knows_account(account[1]):
            raise context.no_such_object(object_id)
        return world.account(account[1])
    found = (
        world.find_set(object_id) or world.find_request(object_id) or world.objects.find(object_id)
    )
    if found is not None:
        return found
    if not _OBJECT_ID.fullmatch(object_id):
        raise errors.unknown_path(context.call.path)
    return objects.use(context, object_id, kind=_FIRST_USES.get(edge, ObjectKind.AD))


def _answer_node(context: Context, object_id: str) -> Json:
    thing = _find(context, object_id)
    kind = _kind_of(thing)
    if context.call.method in ("GET", "HEAD"):
        fields = serve.parse_expansion(context.parameters.get("fields"))
        kind.note_read(context, thing)
        return context.show(thing, fields)
    change = kind.delete if context.call.method == "DELETE" else kind.update
    if change is None:
        raise context.no_such_object(object_id)
    return change(context, thing)


def _answer_edge(context: Context, object_id: str, edge: str) -> Json:
    thing = _find(context, object_id, edge)
    kind = _kind_of(thing)
    if context.call.method in ("GET", "HEAD") and edge in kind.edges:
        return kind.edges[edge](context, thing, context.edge_call())
    if context.call.method in _WRITES and edge in kind.creates:
        return kind.creates[edge](context, thing)
    raise errors.unknown_path(context.call.path)


def _read_many(context: Context) -> Json:
    raise errors.unknown_path(context.call.path)
