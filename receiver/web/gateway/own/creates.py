"""Create a request set on one of three edges: an intent first, then Facebook."""

from __future__ import annotations

from receiver.graph import serve
from receiver.graph.errors import GraphError
from receiver.graph.serve import Field
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, Submitted, submit
from receiver.store import reports
from receiver.store.intents import NewIntent
from receiver.store.keys import Caller
from receiver.store.models import RequestSet
from receiver.web.context import parts
from receiver.web.gateway import faults, limits, outgoing
from receiver.web.gateway.access import require_account
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault
from receiver.web.gateway.own import freshness
from receiver.web.gateway.own.new_intent import Creation, read_creation
from receiver.web.gateway.own.operations import check_operations
from receiver.web.gateway.own.show import check_set_fields, expands_requests, show_set


def create(call: GraphCall, holder: Caller, *, account_id: int, edge: str) -> Answer:
    """Answer ``POST /act_<id>/<edge>``: the new set's id, or with ``fields`` a read of it.

    Raises Fault, BadParameter, DatabaseAway, CannotOpen.
    """
    require_account(holder, account_id)
    fields = serve.parse_expansion(call.parameters.get("fields"))
    check_set_fields(fields)
    creation = read_creation(call.parameters, edge=edge)
    check_operations(call, holder, creation.operations)
    limits.check(account_id, holder)
    intent = _intent(creation, holder, account_id=account_id, edge=edge)
    try:
        with outgoing.slot(account_id, holder):
            submitted = submit(parts().tools, intent)
    except Rejected as refusal:
        return _refusal(refusal)
    except OutcomeUnknown as unknown:
        raise _outcome_unknown(unknown) from unknown
    return _created(call, holder, submitted, fields)


def _intent(creation: Creation, holder: Caller, *, account_id: int, edge: str) -> NewIntent:
    return NewIntent(
        account_id=account_id,
        api_key_id=holder.key_id,
        edge=edge,
        name=creation.name,
        ad_specs=creation.ad_specs,
        spec_count=creation.spec_count,
        notification_uri=creation.notification_uri,
        notification_mode=creation.notification_mode,
    )


def _created(
    call: GraphCall, holder: Caller, submitted: Submitted, fields: tuple[Field, ...]
) -> Answer:
    headers = (("X-Receiver-Set", str(submitted.request_set_id)), *submitted.usage.headers)
    set_id = submitted.facebook_id
    if not fields:
        return json_answer({"id": str(set_id)}, call, source="graph", headers=headers)
    row = _read(holder, set_id)
    if freshness.freshen_set(row, holder, with_requests=expands_requests(fields)):
        row = _read(holder, set_id)
    return json_answer(show_set(call, row, fields), call, source="graph", headers=headers)


def _read(holder: Caller, set_id: int) -> RequestSet:
    with parts().database.reading() as session:
        row = reports.find_set(session, holder.account_ids, facebook_id=set_id)
    if row is None:
        raise faults.no_such_object(str(set_id))
    return row


def _outcome_unknown(unknown: OutcomeUnknown) -> Fault:
    return Fault(
        faults.OUTCOME_UNKNOWN,
        "Facebook was asked to create this set and what became of it is not known "
        f"({unknown.reason}). Do not send it again: the receiver keeps it, never repeats it, "
        "and opens it as soon as Facebook shows it. "
        f"See /admin/api/request-sets/{unknown.request_set_id}.",
        http_status=409,
    )


def _refusal(refusal: Rejected) -> Answer:
    """Facebook's error as it came; our own where nothing could be sent."""
    if isinstance(refusal.cause, GraphError):
        return faults.as_it_came(refusal.cause)
    raise faults.service_away(f"Facebook could not be reached and nothing was sent: {refusal}")
