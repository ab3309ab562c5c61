"""One unit of the lifecycle's work: claim the set that is due, and do what its state asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

import structlog

from receiver.crypto import CannotOpen
from receiver.graph.errors import Advice, CallFailed, GraphError
from receiver.lifecycle import plan
from receiver.lifecycle.collect import collect
from receiver.lifecycle.look import look
from receiver.lifecycle.resolve import next_search_at, resolve
from receiver.lifecycle.submit import submit_again
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.verdict import FAILED
from receiver.lifecycle.waiting import keep_wait
from receiver.store import intents, looks, notifications
from receiver.store.database import DatabaseAway
from receiver.store.looks import Claim, LeaseLost, LookRecord

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")


def apply_hints(tools: Tools) -> bool:
    """Apply what notifications hint at. Returns whether there was anything. Raises DatabaseAway."""
    with tools.database.reading() as session:
        if not notifications.has_unapplied(session):
            return False
    with tools.database.writing() as session:
        return notifications.apply_hints(session, now=tools.now()) > 0


def advance(tools: Tools) -> bool:
    """Do what the set that has been due for longest asks for. Returns whether one was due.

    Raises DatabaseAway.
    """
    claim = claim_next(tools)
    if claim is not None:
        work_on(tools, claim)
    return claim is not None


def claim_next(tools: Tools, *, passing_over: Collection[int] = frozenset()) -> Claim | None:
    """Claim the set that has been due for longest, not one of the accounts in ``passing_over``.

    Raises DatabaseAway.
    """
    now = tools.now()
    # Asked first without the write lock, which an idle worker must not keep from notifications.
    with tools.database.reading() as session:
        if not looks.is_any_due(session, now=now, passing_over=passing_over):
            return None
    chance = tools.chance()
    with tools.database.writing() as session:
        return looks.claim_due(
            session,
            now=now,
            lease_until=plan.lease_until(tools.pace, now=now),
            next_look_at=lambda quiet_looks: plan.next_look_at(
                tools.pace, quiet_looks=quiet_looks, now=now, chance=chance
            ),
            passing_over=passing_over,
        )


def work_on(tools: Tools, claim: Claim) -> None:
    """Do what a claimed set asks for.

    Whatever goes wrong with one set only puts that set off: it was made due later before anything
    was tried. Raises DatabaseAway.
    """
    if claim.may_be_sent_again:
        attempt(tools, claim, kind="create", work=lambda: submit_again(tools, claim))
        return
    if claim.state in intents.SEARCHED:
        attempt(tools, claim, kind="edge", work=lambda: resolve(tools, claim))
        return
    complete = attempt(tools, claim, kind="set", work=lambda: look(tools, claim))
    if complete is not None:
        attempt(tools, claim, kind="requests", work=lambda: collect(tools, claim, complete))


def attempt(
    tools: Tools, claim: Claim, *, kind: str, work: Callable[[], ResultT]
) -> ResultT | None:
    """Do one reading's work on a claimed set; None when it failed and the set was put off.

    Raises DatabaseAway.
    """
    started_at = tools.now()
    try:
        return work()
    except LeaseLost as lost:
        _tell_lease_lost(claim)
        _keep_failed_look(tools, claim, lost, kind=kind, started_at=started_at)
    except DatabaseAway:
        raise
    except (CallFailed, CannotOpen) as error:
        _put_off(tools, claim, error, kind=kind, started_at=started_at)
    except Exception as error:  # a set that nobody foresaw must not stop the others
        log.exception("A step failed", request_set_id=claim.request_set_id)
        _put_off(tools, claim, error, kind=kind, started_at=started_at)
    return None


def _put_off(
    tools: Tools, claim: Claim, error: Exception, *, kind: str, started_at: datetime
) -> None:
    """Keep the failed look, and let go of the set until it is worth asking again."""
    now = tools.now()
    _keep_failed_look(tools, claim, error, kind=kind, started_at=started_at)
    # The account waits whatever became of the lease.
    resume_at = keep_wait(tools, claim.account_id, error)
    try:
        with tools.database.writing() as session:
            if _is_gone(claim, error):
                looks.give_up_verdict(session, claim, verdict=FAILED)
                return
            look_at = resume_at or _next_at(tools, claim, now=now)
            looks.finish(session, claim, look_at=look_at, reason=_in_words(error))
    except LeaseLost:
        _tell_lease_lost(claim)


def _tell_lease_lost(claim: Claim) -> None:
    log.warning("A lease ran out before its work was done", request_set_id=claim.request_set_id)


def _next_at(tools: Tools, claim: Claim, *, now: datetime) -> datetime | None:
    if claim.state in intents.SEARCHED:
        return next_search_at(tools, claim, now=now)
    return plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )


def _is_gone(claim: Claim, error: Exception) -> bool:
    """Tell whether a set whose results are all here can tell no more of its notification."""
    return (
        claim.state == intents.COLLECTED
        and isinstance(error, GraphError)
        and error.advice is Advice.NEVER_REPEAT
    )


def _keep_failed_look(
    tools: Tools, claim: Claim, error: Exception, *, kind: str, started_at: datetime
) -> None:
    """Keep a reading that led to nothing: what it cost counts, whatever became of the lease."""
    record = LookRecord(
        kind=kind,
        started_at=started_at,
        ended_at=tools.now(),
        calls=error.calls if isinstance(error, (CallFailed, LeaseLost)) else 0,
        error_code=error.code if isinstance(error, GraphError) else None,
        error=_in_words(error),
    )
    with tools.database.writing() as session:
        looks.add_look(session, claim, record)


def _in_words(error: Exception) -> str:
    if isinstance(error, (CallFailed, CannotOpen)):
        return str(error)
    if isinstance(error, LeaseLost):
        return "The lease ran out before its work was done: another worker has the set."
    # Only the kind: the text of an error that nobody foresaw may hold anything, a token too.
    return f"An unforeseen {type(error).__name__}: the log has the details."
