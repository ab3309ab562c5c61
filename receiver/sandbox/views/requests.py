"""The requests of sets: listed, read and cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from receiver.graph import serve
from receiver.graph.vocabulary import REQUEST
from receiver.sandbox.calls import errors
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.records import request_record
from receiver.sandbox.world.request_set import Member


def list_requests(context: Context, members: Sequence[Member], edge_call: EdgeCall) -> Json:
    """List requests in their order, those with the statuses asked for."""
    statuses = serve.parse_statuses(edge_call.parameters)
    return context.page(
        edge_call,
        members,
        kind=KIND,
        keep=lambda member: statuses is None or member.request.status in statuses,
    )


def cancel_all(context: Context, members: Sequence[Member]) -> Json:
    """Cancel what is not processed yet. Raises GraphFault where nothing is left of that kind."""
    if not any(member.request.is_cancelable for member in members):
        raise errors.refused_change("Only a request that is not processed yet can be canceled.")
    for request_set, request in members:
        if request.is_cancelable:  # cancelling one may have ended those that need it
            context.world.cancel(request_set, request, now=context.now)
    return {"success": True}


def _record(_context: Context, member: Member) -> Json:
    return request_record(member)


def _delete(context: Context, member: Member) -> Json:
    return cancel_all(context, [member])


KIND = Kind(
    REQUEST,
    record=_record,
    links=frozenset({"async_request_set"}),
    delete=_delete,
)
