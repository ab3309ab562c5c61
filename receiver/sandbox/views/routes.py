"""Which view answers a call: a path names a thing, and perhaps an edge of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.sandbox.calls import errors
from receiver.sandbox.calls.graph_call import GraphCall
from receiver.sandbox.views import nodes, people
from receiver.sandbox.views.context import Context, Json, Overrides
from receiver.sandbox.views.finding import (
    find,
    find_for_edge,
    find_for_node,
    kind_of,
)
from receiver.sandbox.world.request_set import RequestSet
from receiver.sandbox.world.work import Work
from receiver.sandbox.world.world import World

_WRITES = ("POST", "PUT")

_MAX_IDS = 50

_GIVEN_FIELDS = frozenset(
    chain.from_iterable(
        node.fields for node in (nodes.AD, nodes.AD_SET, nodes.CAMPAIGN, nodes.CREATIVE)
    )
) - {"id"}


def answer(world: World, overrides: Overrides, call: GraphCall, *, now: datetime) -> Json:
    """Do what a call asks for and return the answer's JSON. The caller holds the world's lock.

    Raises GraphFault and BadParameter.
    """
    context = Context(world, overrides, call, now, kind_of=kind_of, find=find)
    match call.segments:
        case ["debug_token"] if call.is_read:
            return people.debug_token(context)
        case [] if call.named_ids:
            return _read_many(context, read=_read_node)
        case [edge] if call.named_ids:
            return _read_many(
                context, read=lambda _, object_id: _read_edge(context, object_id, edge)
            )
        case [object_id]:
            return _answer_node(context, object_id)
        case [_, "instruments"] if call.method == "POST":
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


def _read_many(context: Context, *, read: Callable[[Context, str], Json]) -> Json:
    """Read several things: ``{"<id>": {…}}``, in the order asked for; at most 50.

    One that is missing fails all (the facts, sections 3 and 11).
    """
    ids = context.call.named_ids
    if len(ids) > _MAX_IDS:
        raise BadParameter("ids", f"Too many IDs. Maximum: {_MAX_IDS}. Provided: {len(ids)}.")
    missing = [object_id for object_id in ids if not _exists(context, object_id)]
    if missing:
        names = ",".join(missing)
        raise errors.GraphFault(
            f"(#803) Some of the aliases you requested do not exist: {names}", 803
        )
    return {object_id: read(context, object_id) for object_id in ids}


def _exists(context: Context, object_id: str) -> bool:
    try:
        find(context, object_id)
    except errors.GraphFault:
        return False
    return True


def _read_node(context: Context, object_id: str) -> Json:
    fields = serve.parse_expansion(context.parameters.get("fields"))
    thing = find_for_node(context, object_id, names=(field.name for field in fields))
    kind_of(thing).note_read(context, thing)
    return context.show(thing, fields)


def _answer_node(context: Context, object_id: str) -> Json:
    method = context.call.method
    if context.call.is_read:
        return _read_node(context, object_id)
    if method not in (*_WRITES, "DELETE"):
        raise context.no_such_object(object_id)
    thing = find_for_node(context, object_id, names=_given(context.parameters))
    kind = kind_of(thing)
    change = kind.delete if method == "DELETE" else kind.update
    if change is None:
        raise context.no_such_object(object_id)
    return change(context, thing)


def _given(parameters: Mapping[str, Any]) -> Iterable[str]:
    """Return the fields of objects that a call gives."""
    return _GIVEN_FIELDS & parameters.keys()


def _read_edge(context: Context, object_id: str, edge: str) -> Json:
    """Read an edge of one of several things; the links of its pages name that one only."""
    thing = find_for_edge(context, object_id, edge)
    kind = kind_of(thing)
    if edge not in kind.edges:
        raise errors.unknown_path(context.call.path)
    asked = context.edge_call()
    address = f"{context.call.base_url}/{context.call.version}/{object_id}/{edge}"
    links = {name: value for name, value in asked.link_parameters.items() if name != "ids"}
    return kind.edges[edge](context, thing, replace(asked, address=address, link_parameters=links))


def _answer_edge(context: Context, object_id: str, edge: str) -> Json:
    thing = find_for_edge(context, object_id, edge)
    kind = kind_of(thing)
    if context.call.is_read and edge in kind.edges:
        return kind.edges[edge](context, thing, context.edge_call())
    if context.call.method in _WRITES and edge in kind.creates:
        return kind.creates[edge](context, thing)
    if context.call.method == "DELETE" and edge in kind.removes:
        return kind.removes[edge](context, thing)
    raise errors.unknown_path(context.call.path)
