"""Change a set of ours, or cancel what is left of it.

Of an update only the name goes to Facebook. URI and mode are the caller's view: they say where the
receiver tells its caller, and may change until it did (Facebook's page: "before the notification
has been sent").
"""

from __future__ import annotations

from collections.abc import Callable

from receiver.graph import serve
from receiver.graph.errors import CallFailed, GraphError
from receiver.lifecycle import change
from receiver.store import deliveries, intents, reports
from receiver.store.keys import Caller
from receiver.store.models import RequestSet
from receiver.web.context import parts
from receiver.web.gateway import faults, limits, outgoing
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault
from receiver.web.gateway.own import freshness
from receiver.web.gateway.own.nodes import OwnObject


def update(call: GraphCall, holder: Caller, row: RequestSet) -> Answer:
    """Answer ``POST /<set>`` with ``name``, ``notification_uri``, ``notification_mode``.

    Raises Fault and BadParameter.
    """
    name = serve.parse_name(call.parameters) if "name" in call.parameters else None
    new = _new_notification(call, row)
    if name is not None:
        refusal = _ask(call, holder, row, lambda: change.rename(parts().tools, row, name=name))
        if refusal is not None:
            return refusal
    if new is not None:
        _change_notification(row, uri=new[0], mode=new[1])
    return _done(call, holder, row)


def _change_notification(row: RequestSet, *, uri: str | None, mode: str) -> None:
    """Write where the caller wants to be told. Raises Fault where it is being told already."""
    with parts().database.writing() as session:
        intents.change_notification(session, row.id, uri=uri, mode=mode)
        if not deliveries.change_unsent(session, row.id, now=parts().now()):
            raise _already_sent()


def _already_sent() -> Fault:
    return faults.bad_parameter("The notification of this request set was already sent.")


def _new_notification(call: GraphCall, row: RequestSet) -> tuple[str | None, str] | None:
    """Return the URI and mode that the caller wants from now on; None where neither changes."""
    mode = serve.parse_mode(call.parameters)
    uri = serve.parse_notification_uri(call.parameters)
    if not mode and not uri:
        return None
    with parts().database.reading() as session:
        delivery = reports.deliveries_of(session, [row.id]).get(row.id)
    if delivery is not None and delivery.attempts:
        raise _already_sent()
    mode, uri = mode or row.caller_notification_mode, uri or row.caller_notification_uri
    serve.check_notification(mode=mode, uri=uri)
    return uri, mode


def cancel(call: GraphCall, holder: Caller, found: OwnObject) -> Answer:
    """Answer ``DELETE`` of a set or a request: what is not processed yet is canceled.

    Raises Fault.
    """
    request, row = found.request, found.request_set
    refusal = _ask(
        call,
        holder,
        row,
        lambda: change.cancel(parts().tools, row, request_id=request.id if request else None),
    )
    return refusal or _done(call, holder, row)


def _ask(
    call: GraphCall, holder: Caller, row: RequestSet, ask: Callable[[], None]
) -> Answer | None:
    """Ask Facebook for a change; return its refusal, or None when it was done.

    Asked again, each of these changes nothing more: whoever got no answer may repeat it.
    """
    limits.check(row.account_id, holder)
    try:
        with outgoing.slot(row.account_id, holder):
            ask()
    except GraphError as refusal:
        return faults.as_it_came(refusal)
    except CallFailed as failure:
        raise faults.service_away(
            f"Facebook's answer to {call.method} did not come: {failure} It may be repeated."
        ) from failure
    return None


def _done(call: GraphCall, holder: Caller, row: RequestSet) -> Answer:
    freshness.look_again(row, holder)
    headers = (("X-Receiver-Set", str(row.id)),)
    return json_answer({"success": True}, call, source="graph", headers=headers)
