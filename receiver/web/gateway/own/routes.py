"""Which of the calls are about the receiver's own sets, and what answers each."""

from __future__ import annotations

from collections.abc import Callable

from receiver.graph.vocabulary import (
    AD_SETS_EDGE,
    ALL_SETS_EDGE,
    CREATE_EDGES,
    CREATIVES_EDGE,
    SCOPE_EDGE,
)
from receiver.store.keys import Caller
from receiver.web.gateway import access, faults
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import changes, nodes
from receiver.web.gateway.own.creates import create
from receiver.web.gateway.own.lists import list_scope, list_sets
from receiver.web.gateway.own.many import read_many
from receiver.web.gateway.paths import account_number, object_number

_LISTS = (AD_SETS_EDGE, CREATIVES_EDGE, ALL_SETS_EDGE)

Answering = Callable[[], Answer | None]


def answer(call: GraphCall, holder: Caller) -> Answer | None:
    """Answer a call that creates, lists or addresses sets of ours; None for any other.

    Raises Fault, BadParameter, DatabaseAway, CannotOpen.
    """
    answering = _find(call, holder)
    return None if answering is None else answering()


def is_own(call: GraphCall, holder: Caller) -> bool:
    """Tell whether the gateway itself answers a call. Nothing is done yet."""
    return _find(call, holder) is not None


def _find(call: GraphCall, holder: Caller) -> Answering | None:
    if call.ids:
        return (lambda: read_many(call, holder)) if nodes.find_any(holder, call.ids) else None
    match call.method, call.segments:
        case (method, (node, edge)) if (account_id := account_number(node)) is not None:
            return _of_account(call, holder, method, account_id=account_id, edge=edge)
        case ("GET", (node, edge)) if edge == SCOPE_EDGE and object_number(node) is not None:
            return lambda: _list_scope(call, holder, node)
        case (method, (node, *edges)) if edges in ([], ["requests"]):
            return _of_object(call, holder, method, node=node, is_edge=bool(edges))
    return None


def _of_account(
    call: GraphCall, holder: Caller, method: str, *, account_id: int, edge: str
) -> Answering | None:
    if method == "POST" and edge in CREATE_EDGES:
        return lambda: create(call, holder, account_id=account_id, edge=edge)
    if method == "GET" and edge in _LISTS:
        return lambda: list_sets(call, holder, account_id=account_id, edge=edge)
    return None


def _of_object(
    call: GraphCall, holder: Caller, method: str, *, node: str, is_edge: bool
) -> Answering | None:
    found = nodes.find(holder, node)
    if found is None:
        return None
    request, row = found.request, found.request_set
    if is_edge:
        is_read = method == "GET" and request is None
        return (lambda: nodes.read_requests(call, holder, found)) if is_read else None
    if method == "GET":
        return lambda: nodes.read(call, holder, found)
    if method == "DELETE":
        return lambda: changes.cancel(call, holder, found)
    return (lambda: changes.update(call, holder, row)) if request is None else None


def _list_scope(call: GraphCall, holder: Caller, node: str) -> Answer:
    account_id = access.allow(call, holder)
    if account_id is None:
        raise faults.no_such_object(node)
    return list_scope(call, holder, account_id=account_id, object_id=object_number(node) or 0)
