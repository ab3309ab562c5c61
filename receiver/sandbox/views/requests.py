"""The requests of sets: listed, read and cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from receiver.graph import serve
from receiver.graph.vocabulary import REQUEST
from receiver.sandbox import errors
from receiver.sandbox.records import request_record
from receiver.sandbox.request_set import CANCELABLE, Request, RequestSet
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind

Member = tuple[RequestSet, Request]


def list_requests(context: Context, members: Sequence[Member], edge_call: EdgeCall) -> Json:
    """List requests in their order, those with the statuses asked for."""
    statuses = serve.parse_statuses(edge_call.parameters)
    return context.page(
        edge_call,
        members,
        kind=KIND,
        keep=lambda member: statuses is None or member[1].status in statuses,
    )


def cancel_all(context: Context, members: Sequence[Member]) -> Json:
    """Cancel requests. Raises GraphFault where none is left that could be cancelled."""
    if not members:
        raise errors.refused_change("Only a request that is not processed yet can be canceled.")
    for request_set, request in members:
        if request.status in CANCELABLE:  # cancelling one may have ended those that need it
            context.world.cancel(request_set, request, now=context.now)
    return {"success": True}


def _record(context: Context, member: Member) -> Json:
    context.world.refresh(member[0], now=context.now)
    return request_record(*member)


def _delete(context: Context, member: Member) -> Json:
    context.world.refresh(member[0], now=context.now)
    return cancel_all(context, [member] if member[1].status in CANCELABLE else [])


KIND = Kind(REQUEST, record=_record, delete=_delete)
