"""One unit of the lifecycle's work: claim the set that is due, and do what its state asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from receiver.crypto import CannotOpen
from receiver.graph.errors import Advice, CallFailed, GraphError
from receiver.lifecycle import plan
from receiver.lifecycle.collect import collect
from receiver.lifecycle.look import look
from receiver.lifecycle.resolve import resolve
from receiver.lifecycle.tools import Tools
from receiver.store import accounts, intents, looks, notifications
from receiver.store.database import DatabaseAway
from receiver.store.looks import Claim, LeaseLost, LookRecord

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

_WAIT_SECONDS = 300.0
"""How long an account waits when Facebook asks for it without saying how long.

It is the block of the published ad-account score (the facts, section 5).
"""


def apply_hints(tools: Tools) -> bool:
    """Apply what notifications hint at. Returns whether there was anything. Raises DatabaseAway."""
    with tools.database.reading() as session:
        if not notifications.has_unapplied(session):
            return False
    with tools.database.writing() as session:
        return notifications.apply_hints(session, now=tools.now()) > 0


def advance(tools: Tools) -> bool:
    """Do what the set that has been due for longest asks for. Returns whether one was due.

    Whatever goes wrong with one set only puts that set off: it was made due later before anything
    was tried. Raises DatabaseAway.
    """
    claim = _claim(tools)
    if claim is None:
        return False
    if claim.state in intents.UNOPENED:
        _attempt(tools, claim, kind="edge", work=lambda: resolve(tools, claim))
        return True
    complete = _attempt(tools, claim, kind="set", work=lambda: look(tools, claim))
    if complete is not None:
        _attempt(tools, claim, kind="requests", work=lambda: collect(tools, claim, complete))
    return True


def _claim(tools: Tools) -> Claim | None:
    now = tools.now()
    # Asked first without the write lock, which an idle worker must not keep from notifications.
    with tools.database.reading() as session:
        if not looks.is_any_due(session, now=now):
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
        )


def _attempt(
    tools: Tools, claim: Claim, *, kind: str, work: Callable[[], ResultT]
) -> ResultT | None:
    """Do one reading's work on a claimed set; None when it failed and the set was put off."""
    started_at = tools.now()
    try:
        return work()
    except LeaseLost:
        _tell_lease_lost(claim)
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
    look_at = plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )
    resume_at = _resume_at(error, now=now)
    record = LookRecord(
        kind=kind,
        started_at=started_at,
        ended_at=now,
        calls=error.calls if isinstance(error, CallFailed) else 0,
        error_code=error.code if isinstance(error, GraphError) else None,
        error=_in_words(error),
    )
    with tools.database.writing() as session:
        looks.add_look(session, claim, record)
        if resume_at is not None:
            accounts.wait_until(session, claim.account_id, resume_at=resume_at)
    try:
        with tools.database.writing() as session:
            looks.finish(session, claim, look_at=resume_at or look_at, reason=_in_words(error))
    except LeaseLost:
        _tell_lease_lost(claim)


def _tell_lease_lost(claim: Claim) -> None:
    log.warning("A lease ran out before its work was done", request_set_id=claim.request_set_id)


def _resume_at(error: Exception, *, now: datetime) -> datetime | None:
    if not isinstance(error, GraphError) or error.advice is not Advice.WAIT:
        return None
    return now + timedelta(seconds=error.usage.wait_seconds or _WAIT_SECONDS)


def _in_words(error: Exception) -> str:
    if isinstance(error, (CallFailed, CannotOpen)):
        return str(error)
    # Only the kind: the text of an error that nobody foresaw may hold anything, a token too.
    return f"An unforeseen {type(error).__name__}: the log has the details."
