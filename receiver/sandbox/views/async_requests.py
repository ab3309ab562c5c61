"""Every set of an account in one list, ``async_requests``, as the page and the SDK see it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import REQUEST_SET, Node
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.records import set_record
from receiver.sandbox.world.request_set import Edge, RequestSet
from receiver.sandbox.world.world import Account

_Word = TypeVar("_Word", bound=IntEnum)


def list_all_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/async_requests``: sets, whatever edge they were made on, newest first.

    Facebook's page filters with ``is_completed``, the official SDK with ``status`` and ``type``.
    """
    parameters = edge_call.parameters
    wanted = serve.parse_flag(parameters.get("is_completed"), name="is_completed")
    statuses = _choice(parameters, "status", _Status)
    types = _choice(parameters, "type", _Type)

    def keep(request_set: RequestSet) -> bool:
        return (
            wanted in (None, request_set.is_completed)
            and _status(request_set) in statuses
            and _TYPES[request_set.edge] in types
        )

    return context.page(edge_call, account.sets, kind=LISTED, keep=keep, newest_first=True)


class _Status(IntEnum):
    """The SDK's words; it types the field as a number, so the order of its words is taken."""

    ERROR = 0
    EXECUTING = 1
    FINISHED = 2
    INITIALIZED = 3


class _Type(IntEnum):
    ASYNC_ADGROUP_CREATION = 0
    BATCH_API = 1
    DRAFTS = 2


_TYPES = {
    Edge.ADS: _Type.ASYNC_ADGROUP_CREATION,
    Edge.CREATIVES: _Type.ASYNC_ADGROUP_CREATION,
    Edge.BATCH: _Type.BATCH_API,
}


def _choice(parameters: Mapping[str, Any], name: str, words: type[_Word]) -> tuple[_Word, ...]:
    """Return the words that a filter admits: the one it names, or all of them."""
    value = parameters.get(name)
    if value in (None, ""):
        return tuple(words)
    named = tuple(word for word in words if str(value).upper() in (word.name, str(int(word))))
    if not named:
        allowed = ", ".join(word.name for word in words)
        raise BadParameter(name, f"Param {name} must be one of {{{allowed}}}.")
    return named


def _status(request_set: RequestSet) -> _Status:
    """A set's status in this list (undocumented): ERROR is one of which nothing succeeded."""
    counts, total = request_set.counts, len(request_set.requests)
    if counts["initial_count"] == total:
        return _Status.INITIALIZED
    if not request_set.is_completed:
        return _Status.EXECUTING
    return _Status.ERROR if counts["error_count"] == total else _Status.FINISHED


def _record(_context: Context, request_set: RequestSet) -> Json:
    status, kind = _status(request_set), _TYPES[request_set.edge]
    return {**set_record(request_set), "status": int(status), "type": int(kind)}


LISTED = Kind(
    Node(
        "AsyncRequest",
        REQUEST_SET.default_fields,
        (*REQUEST_SET.other_fields, "result", "status", "type"),
    ),
    record=_record,
)
