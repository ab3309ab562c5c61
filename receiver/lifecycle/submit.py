"""From an intent to Facebook, and on to open, rejected or unknown.

The intent and its submission are committed before Facebook is asked. What Facebook answers is
written afterwards, and nothing is ever sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from receiver.graph.client import Credential
from receiver.graph.errors import CallFailed, GraphError, outcome_is_unknown
from receiver.graph.score import WRITE_POINTS
from receiver.graph.usage import NO_USAGE, Usage
from receiver.graph.vocabulary import BATCHES_EDGE
from receiver.lifecycle import plan
from receiver.lifecycle.change import notification_uri, tell_uri
from receiver.lifecycle.experience import Experience
from receiver.lifecycle.knowledge import learned_of
from receiver.lifecycle.resolve import contradiction
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import correct, reserve
from receiver.lifecycle.tools import Tools, unseal
from receiver.lifecycle.waiting import note_usage
from receiver.store import accounts, intents, repeats, twins, waits
from receiver.store.claims import Claim
from receiver.store.database import Session
from receiver.store.intents import Attempt, NewIntent, Opening

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Submitted:
    """Facebook has the set, under this id."""

    request_set_id: int
    facebook_id: int
    usage: Usage = NO_USAGE


class Rejected(Exception):
    """Facebook has no such set; ``cause`` is its refusal, or why nothing was sent."""

    def __init__(self, cause: CallFailed, *, request_set_id: int) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.request_set_id = request_set_id


class AskedBefore(Exception):
    """The create was asked for before: nothing was sent now, and its outcome is that one's."""

    def __init__(self, request_set_id: int) -> None:
        super().__init__(f"It is the create {request_set_id}.")
        self.request_set_id = request_set_id


class OutcomeUnknown(Exception):
    """The set was sent, and nobody knows yet whether Facebook has it: it must not be sent again."""

    def __init__(self, request_set_id: int, *, reason: str) -> None:
        super().__init__(reason)
        self.request_set_id = request_set_id
        self.reason = reason


def submit(tools: Tools, intent: NewIntent) -> Submitted:
    """Create a request set at Facebook.

    Raises Rejected, OutcomeUnknown, and before anything was sent AskedBefore, KeyReused,
    NoPoints, DatabaseAway and CannotOpen.
    """
    # Taken before the intent is written, so that it lies before the moment written there.
    send_before_monotonic = tools.monotonic() + tools.pace.send_before_seconds
    _reserve(tools, intent.account_id, edge=intent.edge)
    learned = learned_of(tools, intent.account_id)
    attempt, credential = _write_intent(tools, intent, learned)
    with bound_contextvars(request_set_id=attempt.request_set_id, account_id=intent.account_id):
        return _send(
            tools,
            intent,
            attempt,
            credential,
            learned=learned,
            send_before_monotonic=send_before_monotonic,
        )


def submit_again(tools: Tools, claim: Claim) -> None:
    """Send a claimed intent once more, whose last attempt is proved to be absent.

    What comes of it is written as for the first attempt; only a refusal that may pass does not end
    it. Raises NoPoints, LeaseLost, DatabaseAway, CannotOpen.
    """
    send_before_monotonic = tools.monotonic() + tools.pace.send_before_seconds
    _reserve(tools, claim.account_id, edge=claim.edge)
    learned = learned_of(tools, claim.account_id)
    attempt, intent, credential = _begin_again(tools, claim)
    named = {"request_set_id": attempt.request_set_id, "attempt": attempt.number}
    try:
        _send(
            tools,
            intent,
            attempt,
            credential,
            learned=learned,
            send_before_monotonic=send_before_monotonic,
        )
    except (Rejected, OutcomeUnknown) as outcome:
        log.warning("A create that was sent again did not succeed", **named, reason=str(outcome))
    else:
        log.warning("A create that was lost was sent again", **named)


def _send(
    tools: Tools,
    intent: NewIntent,
    attempt: Attempt,
    credential: Credential,
    *,
    learned: Experience,
    send_before_monotonic: float,
) -> Submitted:
    token = tools.keys.sign_token(intent=attempt.request_set_id, attempt=attempt.number)
    try:
        created = tools.client.create_request_set(
            credential,
            account_id=intent.account_id,
            edge=intent.edge,
            name=intent.name + tools.keys.tag(token),
            specs=intent.ad_specs.decode(),
            notification_uri=notification_uri(tools, token),
            secrets=(token, tools.keys.tag(token).strip()),
            send_before_monotonic=send_before_monotonic,
        )
    except CallFailed as error:
        correct(tools, intent.account_id, error.usage)
        _log_failure(error, attempt=attempt)
        if outcome_is_unknown(error):
            raise _write_unknown(tools, attempt, reason=str(error)) from error
        if attempt.number > 1 and not error.is_final:
            raise _postpone(tools, attempt, error, account_id=intent.account_id) from error
        raise _write_rejected(tools, attempt, error, account_id=intent.account_id) from error
    except Exception as error:
        # Nobody foresaw this, so nobody knows whether Facebook was asked.
        log.exception("A submission failed")
        raise _write_unknown(tools, attempt, reason="an unforeseen error") from error
    first_look_at = plan.first_look_at(
        tools.pace,
        usual_seconds=learned.usual_seconds(intent.spec_count),
        early_seconds=learned.early_seconds(intent.spec_count),
        loss_rate=learned.loss_rate,
        now=tools.now(),
    )
    opening = _write_opened(tools, attempt, facebook_id=created.set_id, first_look_at=first_look_at)
    if opening is not Opening.OPEN:
        reason = contradiction(opening, created.set_id)
        raise OutcomeUnknown(attempt.request_set_id, reason=reason)
    note_usage(tools, intent.account_id, created.usage)
    if intent.edge == BATCHES_EDGE:
        tell_uri(
            tools,
            credential,
            attempt,
            account_id=intent.account_id,
            facebook_id=created.set_id,
        )
    return Submitted(attempt.request_set_id, facebook_id=created.set_id, usage=created.usage)


def _log_failure(error: CallFailed, *, attempt: Attempt) -> None:
    """Log a create that brought no set. Whoever asked for it is told as well."""
    is_unknown = outcome_is_unknown(error)
    log.log(
        logging.WARNING if is_unknown else logging.INFO,
        "The outcome of a create is unknown" if is_unknown else "A create made nothing",
        attempt=attempt.number,
        reason=str(error),
        fbtrace_id=error.fbtrace_id,
    )


def _reserve(tools: Tools, account_id: int, *, edge: str) -> None:
    """Spend what a create costs, and the update that tells Facebook our URI where it needs one."""
    writes = 2 if edge == BATCHES_EDGE else 1
    reserve(tools, account_id, cost=writes * WRITE_POINTS, purpose=Purpose.CREATE)


def _write_intent(
    tools: Tools, intent: NewIntent, learned: Experience
) -> tuple[Attempt, Credential]:
    now = tools.now()
    usual_seconds = learned.usual_seconds(intent.spec_count)
    with tools.database.writing() as session:
        sealed = accounts.credential_of(session, intent.account_id)
        # A credential that cannot be opened ends the call before an intent is written.
        credential = unseal(tools.keys, sealed, account_id=intent.account_id)
        _join_earlier(session, intent)
        twin_of = twins.find_twin(session, intent, is_of_caller=False)
        attempt = intents.add_intent(
            session,
            replace(intent, twin_of=twin_of),
            credential_id=sealed.id,
            signing_key_id=tools.keys.newest_id,
            send_before=plan.send_before(tools.pace, now=now),
            look_at=plan.sender_is_gone(tools.pace, now=now),
            deadline=plan.deadline(tools.pace, usual_seconds=usual_seconds, now=now),
            now=now,
        )
        twins.keep_key(session, intent, attempt.request_set_id)
    return attempt, credential


def _join_earlier(session: Session, intent: NewIntent) -> None:
    """Raise AskedBefore for a create that was asked for before; of two at once, one is first."""
    twins.lock_account(session, intent.account_id)
    earlier = twins.find_earlier(session, intent)
    if earlier is not None:
        raise AskedBefore(earlier)


def _begin_again(tools: Tools, claim: Claim) -> tuple[Attempt, NewIntent, Credential]:
    now = tools.now()
    with tools.database.writing() as session:
        sealed = accounts.credential_of(session, claim.account_id)
        credential = unseal(tools.keys, sealed, account_id=claim.account_id)
        intent = repeats.find_intent(session, claim.request_set_id)
        attempt = repeats.begin_again(
            session,
            claim,
            credential_id=sealed.id,
            signing_key_id=tools.keys.newest_id,
            send_before=plan.send_before(tools.pace, now=now),
            look_at=plan.sender_is_gone(tools.pace, now=now),
            now=now,
        )
    return attempt, intent, credential


def _postpone(tools: Tools, attempt: Attempt, error: CallFailed, *, account_id: int) -> Rejected:
    now = tools.now()
    wait = plan.wait_after(error, now=now)
    look_at = plan.next_look_at(
        tools.pace, quiet_looks=attempt.number, now=now, chance=tools.chance()
    )

    def write() -> None:
        with tools.database.writing() as session:
            repeats.postpone(session, attempt, reason=str(error), look_at=look_at, now=now)
            if wait is not None:
                waits.wait(session, account_id, wait)

    _write_answer(write)
    return Rejected(error, request_set_id=attempt.request_set_id)


def _write_opened(
    tools: Tools, attempt: Attempt, *, facebook_id: int, first_look_at: datetime
) -> Opening:
    now = tools.now()
    opening = Opening.OPEN

    def write() -> None:
        nonlocal opening
        with tools.database.writing() as session:
            opening = intents.open_set(
                session, attempt, facebook_id=facebook_id, first_look_at=first_look_at, now=now
            )
            if opening is Opening.TAKEN:
                reason = contradiction(opening, facebook_id)
                intents.doubt_set(session, attempt, reason=reason, look_at=first_look_at, now=now)

    _write_answer(write)
    if opening is not Opening.OPEN:
        log.error("Facebook gave an id that this set cannot take", facebook_id=facebook_id)
    return opening


def _write_unknown(tools: Tools, attempt: Attempt, *, reason: str) -> OutcomeUnknown:
    now = tools.now()
    look_at = plan.first_search_at(now=now)

    def write() -> None:
        with tools.database.writing() as session:
            intents.leave_unknown(session, attempt, reason=reason, look_at=look_at, now=now)

    _write_answer(write)
    return OutcomeUnknown(attempt.request_set_id, reason=reason)


def _write_rejected(
    tools: Tools, attempt: Attempt, error: CallFailed, *, account_id: int
) -> Rejected:
    now = tools.now()
    wait = plan.wait_after(error, now=now)
    refusal = error if isinstance(error, GraphError) else None

    def write() -> None:
        with tools.database.writing() as session:
            intents.reject_set(
                session,
                attempt,
                reason=str(error),
                http_status=refusal.http_status if refusal else None,
                body=refusal.body if refusal else None,
                now=now,
            )
            if not error.is_final:
                twins.release_keys(session, attempt.request_set_id)
            if wait is not None:
                waits.wait(session, account_id, wait)

    _write_answer(write)
    return Rejected(error, request_set_id=attempt.request_set_id)


def _write_answer(write: Callable[[], None]) -> None:
    """Write what Facebook answered. A database that refuses now must not hide the answer.

    The intent stands in SQL, so the set is found at Facebook when its sender counts as gone.
    """
    try:
        write()
    except Exception:
        log.exception("The outcome of a submission could not be written")
