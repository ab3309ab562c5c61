"""Create a request set on one of three edges: an intent first, then Facebook."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.graph import serve
from receiver.graph.errors import GraphError
from receiver.graph.serve import Field
from receiver.graph.usage import NO_USAGE, Usage
from receiver.lifecycle import twins
from receiver.lifecycle.submit import AskedBefore, OutcomeUnknown, Rejected, submit
from receiver.store import intents, reports
from receiver.store.intents import NewIntent
from receiver.store.keys import Caller
from receiver.store.models import RequestSet
from receiver.store.twins import KeyReused, Outcome
from receiver.web.context import parts
from receiver.web.gateway import faults, limits, outgoing
from receiver.web.gateway.access import require_account
from receiver.web.gateway.answer import Answer, Source, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault, Refused
from receiver.web.gateway.own import freshness
from receiver.web.gateway.own.new_intent import intent_of, read_creation
from receiver.web.gateway.own.operations import check_operations
from receiver.web.gateway.own.show import check_set_fields, expands_requests, show_set


def create(call: GraphCall, holder: Caller, *, account_id: int, edge: str) -> Answer:
    """Answer ``POST /act_<id>/<edge>``: the new set's id, or with ``fields`` a read of it.

    Raises Fault, BadParameter, DatabaseAway, CannotOpen.
    """
    require_account(holder, account_id)
    fields = serve.parse_expansion(call.parameters.get("fields"))
    check_set_fields(fields)
    creation = read_creation(call.parameters, headers=call.headers, edge=edge)
    check_operations(call, holder, creation.operations)
    intent = intent_of(creation, account_id=account_id, api_key_id=holder.key_id, edge=edge)
    try:
        with outgoing.slot(account_id, holder):
            made = _make(intent, holder)
    except Rejected as refusal:
        return _refusal(refusal)
    except KeyReused as reused:
        raise _key_reused(reused) from reused
    return _created(call, holder, made, fields)


@dataclass(frozen=True)
class _Made:
    """The set that a create made, or made when it was asked for before."""

    request_set_id: int
    facebook_id: int
    usage: Usage = NO_USAGE
    source: Source = "store"


def _make(intent: NewIntent, holder: Caller) -> _Made:
    """Create a set, or wait for the outcome of the same create that came before.

    Raises Rejected, KeyReused, Fault, Refused, DatabaseAway, CannotOpen.
    """
    earlier = twins.find_earlier(parts().tools, intent)
    if earlier is not None:
        return _outcome(earlier, reason="it was asked for before")
    limits.check(intent.account_id, holder)
    try:
        done = submit(parts().tools, intent)
    except AskedBefore as before:
        return _outcome(before.request_set_id, reason="it was asked for before")
    except OutcomeUnknown as unknown:
        return _outcome(unknown.request_set_id, reason=unknown.reason)
    return _Made(done.request_set_id, done.facebook_id, usage=done.usage, source="graph")


def _outcome(request_set_id: int, *, reason: str) -> _Made:
    """Wait for an outcome and answer with it: nothing is sent."""
    seconds = parts().settings.create_wait_seconds
    outcome = twins.await_outcome(parts().tools, request_set_id, seconds=seconds)
    if outcome.facebook_id is not None:
        return _Made(request_set_id, outcome.facebook_id)
    if outcome.state != intents.REJECTED or outcome.is_abandoned:
        raise _not_made(outcome, reason=outcome.state_reason or reason)
    if outcome.error_body is None or outcome.error_http_status is None:
        raise faults.service_away(f"Nothing was sent: {outcome.state_reason}")
    headers = (("X-Receiver-Source", "store"), ("Cache-Control", "no-store"))
    raise Refused(Answer(outcome.error_http_status, outcome.error_body, headers))


def _created(call: GraphCall, holder: Caller, made: _Made, fields: tuple[Field, ...]) -> Answer:
    headers = (("X-Receiver-Set", str(made.request_set_id)), *made.usage.headers)
    set_id = made.facebook_id
    if not fields:
        return json_answer({"id": str(set_id)}, call, source=made.source, headers=headers)
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


def _not_made(outcome: Outcome, *, reason: str) -> Fault:
    where = f"See /admin/api/request-sets/{outcome.request_set_id}."
    if outcome.is_abandoned:
        message = f"This create was given up by a person and is never sent: {reason} {where}"
    else:
        message = (
            f"Facebook was asked to create this set and what became of it is not known ({reason}). "
            "Do not send it again: the receiver looks for it, and sends it again itself once it is "
            f"proved that Facebook does not have it. {where}"
        )
    headers = (("X-Receiver-Set", str(outcome.request_set_id)),)
    return Fault(faults.OUTCOME_UNKNOWN, message, http_status=409, headers=headers)


def _key_reused(reused: KeyReused) -> Fault:
    message = (
        "This idempotency key belongs to a create with other parameters: nothing was sent. "
        f"See /admin/api/request-sets/{reused.request_set_id}."
    )
    return Fault(faults.PARAMETER, message, http_status=409, blamed_field="idempotency_key")


def _refusal(refusal: Rejected) -> Answer:
    """Facebook's error as it came; our own where nothing could be sent."""
    if isinstance(refusal.cause, GraphError):
        return faults.as_it_came(refusal.cause)
    raise faults.service_away(f"Facebook could not be reached and nothing was sent: {refusal}")
