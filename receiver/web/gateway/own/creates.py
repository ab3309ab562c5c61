"""Create a request set: an intent first, then Facebook."""

from __future__ import annotations

from receiver.graph.errors import GraphError
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, submit
from receiver.store.intents import NewIntent
from receiver.store.keys import Caller
from receiver.web.context import outgoing_slots, parts
from receiver.web.gateway import faults
from receiver.web.gateway.access import require_account
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault
from receiver.web.gateway.own.new_intent import read_creation
from receiver.web.slots import NoSlot


def create(call: GraphCall, holder: Caller, *, account_id: int) -> Answer:
    """Answer ``POST /act_<id>/asyncadrequestsets``."""
    require_account(holder, account_id)
    creation = read_creation(call.parameters)
    intent = NewIntent(account_id=account_id, api_key_id=holder.key_id, **vars(creation))
    try:
        with outgoing_slots().slot(account_id):
            submitted = submit(parts().tools, intent, public_url=parts().settings.public_url)
    except NoSlot:
        raise faults.service_away(
            "Too many calls wait for Facebook: nothing was sent, try again."
        ) from None
    except Rejected as refusal:
        return _refusal(refusal)
    except OutcomeUnknown as unknown:
        raise Fault(
            faults.OUTCOME_UNKNOWN,
            "Facebook was asked to create this set and what became of it is not known "
            f"({unknown.reason}). Do not send it again: the receiver keeps it, never repeats it, "
            "and opens it as soon as Facebook shows it. "
            f"See /admin/api/request-sets/{unknown.request_set_id}.",
            http_status=409,
        ) from unknown
    return json_answer(
        {"id": str(submitted.facebook_id)},
        call,
        source="graph",
        headers=(("X-Receiver-Set", str(submitted.request_set_id)),),
    )


def _refusal(refusal: Rejected) -> Answer:
    """Facebook's error as it came; our own where nothing could be sent."""
    if isinstance(refusal.cause, GraphError):
        headers = (("X-Receiver-Source", "graph"), ("Cache-Control", "no-store"))
        return Answer(refusal.cause.http_status, refusal.cause.body, headers)
    raise faults.service_away(f"Facebook could not be reached and nothing was sent: {refusal}")
