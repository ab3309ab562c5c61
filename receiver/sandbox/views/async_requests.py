"""Every set of an account in one list, ``async_requests``, as the page and the SDK see it."""

from __future__ import annotations

from receiver.graph import serve
from receiver.graph.vocabulary import LISTED_SET
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.records import set_record
from receiver.sandbox.world.request_set import RequestSet
from receiver.sandbox.world.world import Account


def list_all_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/async_requests``: sets, whatever edge they were made on, newest first.

    Facebook's page filters with ``is_completed``, the official SDK with ``status`` and ``type``.
    """
    parameters = edge_call.parameters
    wanted = serve.parse_flag(parameters.get("is_completed"), name="is_completed")
    statuses = serve.parse_listed_statuses(parameters)
    types = serve.parse_listed_types(parameters)

    def keep(request_set: RequestSet) -> bool:
        return (
            wanted in (None, request_set.is_completed)
            and _status(request_set) in statuses
            and _type(request_set) in types
        )

    return context.page(edge_call, account.sets, kind=LISTED, keep=keep, newest_first=True)


def _status(request_set: RequestSet) -> serve.ListedStatus:
    return serve.listed_status(
        total_count=len(request_set.requests),
        initial_count=request_set.counts["initial_count"],
        error_count=request_set.counts["error_count"],
        is_completed=request_set.is_completed,
    )


def _type(request_set: RequestSet) -> serve.ListedType:
    return serve.LISTED_TYPES[request_set.edge]


def _record(_context: Context, request_set: RequestSet) -> Json:
    status, kind = _status(request_set), _type(request_set)
    return {**set_record(request_set), "status": int(status), "type": int(kind)}


LISTED = Kind(LISTED_SET, record=_record)
