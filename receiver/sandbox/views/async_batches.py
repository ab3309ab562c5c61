"""The async Batch API: many operations in one set, and every set of an account in one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import MAX_ADS_PER_SET, MODE_OFF, REQUEST_SET, Node
from receiver.sandbox import errors
from receiver.sandbox.records import set_record
from receiver.sandbox.request_set import Edge, RequestSet
from receiver.sandbox.views import sets
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.work import AsyncOperation, creative_work, operation_work
from receiver.sandbox.world import Account, SetPlan

_Word = TypeVar("_Word", bound=IntEnum)

_PARTS = ("name", "relative_url", "body")


def create_batch(context: Context, account: Account) -> Json:
    """``POST /act_<id>/async_batch_requests``.

    Raises GraphFault for an operation without one of its parts.
    """
    name = serve.parse_name(context.parameters)
    operations = _read_adbatch(serve.decode_json(context.parameters, "adbatch", lenient=True))
    works = [operation_work(operation) for operation in operations]
    return sets.create(context, account, SetPlan(name, works, Edge.BATCH))


def _read_adbatch(entries: Any) -> list[AsyncOperation]:
    if entries is None:
        raise errors.missing_parameter("adbatch")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ADS_PER_SET:
        raise BadParameter(
            "adbatch", f"Param adbatch must be an array of 1 to {MAX_ADS_PER_SET} operations."
        )
    return [_read_operation(entry, index=index) for index, entry in enumerate(entries)]


def _read_operation(entry: Any, *, index: int) -> AsyncOperation:
    if not isinstance(entry, dict):
        raise BadParameter("adbatch", f"Param adbatch[{index}] must be an object.")
    for part in _PARTS:
        if entry.get(part) in (None, ""):
            raise errors.missing_parameter(f"adbatch[{index}][{part}]")
    name, relative_url = entry["name"], entry["relative_url"]
    if not isinstance(name, str) or not isinstance(relative_url, str):
        raise BadParameter("adbatch", f"Name and relative_url of adbatch[{index}] must be strings.")
    return AsyncOperation(name, relative_url, entry["body"])


def create_creative(context: Context, account: Account) -> Json:
    """``POST /act_<id>/asyncadcreatives``: a set of one creative (the facts, section 1)."""
    parameters = context.parameters
    name = serve.parse_name(parameters)
    spec = serve.decode_json(parameters, "creative_spec", lenient=True)
    if not isinstance(spec, dict):
        raise BadParameter("creative_spec", "Param creative_spec must be an object.")
    mode = serve.parse_mode(parameters) or MODE_OFF
    uri = serve.parse_notification_uri(parameters)
    serve.check_notification(mode=mode, uri=uri)
    plan = SetPlan(name, [creative_work(account.id, spec)], Edge.CREATIVES, uri, mode)
    return sets.create(context, account, plan)


def list_creative_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/asyncadcreatives``."""
    return sets.list_sets(context, account, edge_call, edges=(Edge.CREATIVES,))


def list_all_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/async_requests``: sets, whatever edge they were made on, newest first.

    Facebook's page filters with ``is_completed``, the official SDK with ``status`` and ``type``.
    """
    parameters = edge_call.parameters
    wanted = serve.parse_flag(parameters.get("is_completed"), name="is_completed")
    statuses = _choice(parameters, "status", _Status)
    types = _choice(parameters, "type", _Type)

    def keep(listed: _ListedSet) -> bool:
        request_set = listed.request_set
        return (
            wanted in (None, request_set.is_completed)
            and _status(request_set) in statuses
            and _TYPES[request_set.edge] in types
        )

    for request_set in account.sets:
        context.world.refresh(request_set, now=context.now)
    members = [_ListedSet(request_set) for request_set in account.sets]
    return context.page(edge_call, members, kind=LISTED, keep=keep, newest_first=True)


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
    named = next(
        (word for word in words if str(value).upper() in (word.name, str(int(word)))), None
    )
    if named is None:
        allowed = ", ".join(word.name for word in words)
        raise BadParameter(name, f"Param {name} must be one of {{{allowed}}}.")
    return (named,)


def _status(request_set: RequestSet) -> _Status:
    """A set's status in this list (undocumented): ERROR is one of which nothing succeeded."""
    counts, total = request_set.counts, len(request_set.requests)
    if counts["initial_count"] == total:
        return _Status.INITIALIZED
    if not request_set.is_completed:
        return _Status.EXECUTING
    return _Status.ERROR if counts["error_count"] == total else _Status.FINISHED


@dataclass(frozen=True)
class _ListedSet:
    """A set as an account's list of all async requests shows it."""

    request_set: RequestSet


def _record(_context: Context, listed: _ListedSet) -> Json:
    request_set = listed.request_set
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
