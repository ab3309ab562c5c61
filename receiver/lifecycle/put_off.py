"""Put a claimed set off where its step failed, and keep what was tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed, GraphError
from receiver.lifecycle import plan
from receiver.lifecycle.resolve import next_search_at
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.verdict import FAILED
from receiver.lifecycle.waiting import keep_wait
from receiver.store import intents, looks
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import DatabaseAway, Session
from receiver.store.looks import LookRecord

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

_NO_SUCH_OBJECT = (100, 33)


def attempt(
    tools: Tools, claim: Claim, *, kind: str, work: Callable[[], ResultT]
) -> ResultT | None:
    """Do one reading's work on a claimed set; None when it failed and the set was put off.

    Raises DatabaseAway.
    """
    started_at = tools.now()
    with about(claim):
        try:
            return work()
        except LeaseLost as lost:
            _tell_lease_lost()
            _keep_failed_look(tools, claim, lost, kind=kind, started_at=started_at)
        except DatabaseAway:
            raise
        except (CallFailed, NoPoints, CannotOpen) as error:
            put_off(tools, claim, error, kind=kind, started_at=started_at)
        except Exception as error:  # a set that nobody foresaw must not stop the others
            log.exception("A step failed")
            put_off(tools, claim, error, kind=kind, started_at=started_at)
    return None


class Tried(Protocol):
    """What was tried for a claimed set: with ``calls`` HTTP calls, since ``started_at``."""

    @property
    def claim(self) -> Claim: ...
    @property
    def kind(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def calls(self) -> int: ...


def keep_lost(tools: Tools, tried: Tried) -> None:
    """Keep the look of a set whose lease was lost before its outcome was written."""
    with about(tried.claim):
        _tell_lease_lost()
        lost = LeaseLost()
        lost.calls = tried.calls
        _keep_failed_look(tools, tried.claim, lost, kind=tried.kind, started_at=tried.started_at)


def put_unforeseen_off(tools: Tools, tried: Tried, error: Exception) -> None:
    """Put off a set whose outcome could not be written, for a reason that nobody foresaw."""
    with about(tried.claim):
        log.error("A step failed", exc_info=error)
    put_off(
        tools,
        tried.claim,
        error,
        kind=tried.kind,
        started_at=tried.started_at,
        calls=tried.calls,
    )


def about(claim: Claim) -> AbstractContextManager[None]:
    """Let every line that is logged in the block name a set and its account."""
    return bound_contextvars(request_set_id=claim.request_set_id, account_id=claim.account_id)


def put_all_off(
    tools: Tools, claims: Sequence[Claim], error: Exception, *, kind: str, started_at: datetime
) -> None:
    """Put off all that one failed call was for; what it cost counts once. Raises DatabaseAway."""
    for claim in claims:
        put_off(tools, claim, error, kind=kind, started_at=started_at)
        if isinstance(error, (CallFailed, NoPoints)):
            error.calls = 0


def put_off(
    tools: Tools,
    claim: Claim,
    error: Exception,
    *,
    kind: str,
    started_at: datetime,
    calls: int | None = None,
) -> None:
    """Keep the failed look, and let go of the set until it is worth asking again.

    ``calls`` is how many were made for it, where the error does not know.
    """
    with about(claim):
        _log_failure(error, kind=kind)
        _keep_failed_look(tools, claim, error, kind=kind, started_at=started_at, calls=calls)
        _put_off(tools, claim, error)


def keep_failure(
    tools: Tools, claim: Claim, error: CallFailed, *, kind: str, started_at: datetime
) -> None:
    """Keep a failed reading of a set that another one follows, and the wait that it asks for."""
    with about(claim):
        log.warning("A reading failed", kind=kind, reason=str(error), fbtrace_id=error.fbtrace_id)
        _keep_failed_look(tools, claim, error, kind=kind, started_at=started_at)
        keep_wait(tools, claim.account_id, error)


def _log_failure(error: Exception, *, kind: str) -> None:
    """Log what Facebook or a credential is to blame for; to wait for points is nobody's fault."""
    if isinstance(error, CallFailed):
        trace = {"reason": str(error), "fbtrace_id": error.fbtrace_id}
        log.warning("A look led to nothing: the set is put off", kind=kind, **trace)
    elif isinstance(error, CannotOpen):
        log.error("A credential cannot be opened: the set is put off", reason=str(error))


def _put_off(tools: Tools, claim: Claim, error: Exception) -> None:
    now = tools.now()
    # The account waits whatever became of the lease.
    resume_at = keep_wait(tools, claim.account_id, error)
    try:
        with tools.database.writing() as session:
            if _is_gone(claim, error):
                looks.give_up_verdict(session, claim, verdict=FAILED)
                return
            if _is_denied(claim, error, now=now):
                _leave_denied(session, claim, error, now=now)
                return
            look_at = resume_at or _next_at(tools, claim, now=now)
            looks.finish(session, claim, look_at=look_at, reason=in_words(error))
    except LeaseLost:
        _tell_lease_lost()


def _tell_lease_lost() -> None:
    log.warning("A lease ran out before its work was done")


def _next_at(tools: Tools, claim: Claim, *, now: datetime) -> datetime | None:
    if claim.facebook_id is None:
        return next_search_at(tools, claim, now=now)
    return plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )


def _is_gone(claim: Claim, error: Exception) -> bool:
    """Tell whether a set whose results are all here can tell no more of its notification."""
    return claim.state == intents.COLLECTED and isinstance(error, CallFailed) and error.is_final


def _is_denied(claim: Claim, error: Exception, *, now: datetime) -> bool:
    """Tell whether Facebook goes on to say that there is no such set, long after its create.

    Right after a create that is waited out: what is new is not readable everywhere at once.
    """
    return (
        isinstance(error, GraphError)
        and (error.code, error.subcode) == _NO_SUCH_OBJECT
        and claim.opened_at is not None
        and plan.is_surely_readable(claim.opened_at, now=now)
    )


def _leave_denied(session: Session, claim: Claim, error: Exception, *, now: datetime) -> None:
    """Ask a person about a set that Facebook denies, unless all of it is here already.

    Facebook forgets sets after a while: one that is collected again is then as it was before.
    """
    if claim.collected_at is None:
        _ask_a_person(session, claim, error, now=now)
        return
    reason = f"It could not be collected again, for Facebook no longer shows it: {error}"
    looks.leave_collected(session, claim, verdict=FAILED, reason=reason)
    log.warning("A set cannot be collected again: what is known of it stays", reason=str(error))


def _ask_a_person(session: Session, claim: Claim, error: Exception, *, now: datetime) -> None:
    reason = (
        f"Facebook gave the id {claim.facebook_id}, and says that there is no such set: {error}"
    )
    looks.leave_stuck(session, claim, reason=reason, look_at=plan.stuck_look_at(now))
    log.error("A person has to look at a set", reason=reason)


def _keep_failed_look(
    tools: Tools,
    claim: Claim,
    error: Exception,
    *,
    kind: str,
    started_at: datetime,
    calls: int | None = None,
) -> None:
    """Keep a reading that led to nothing: what it cost counts, whatever became of the lease."""
    record = LookRecord(
        kind=kind,
        started_at=started_at,
        ended_at=tools.now(),
        calls=_calls_of(error) if calls is None else calls,
        error_code=error.code if isinstance(error, GraphError) else None,
        error=in_words(error),
    )
    with tools.database.writing() as session:
        looks.add_look(session, claim, record)


def _calls_of(error: Exception) -> int:
    return error.calls if isinstance(error, (CallFailed, NoPoints, LeaseLost)) else 0


def in_words(error: Exception) -> str:
    """Say what failed; of what nobody foresaw only its kind."""
    if isinstance(error, (CallFailed, NoPoints, CannotOpen)):
        return str(error)
    if isinstance(error, LeaseLost):
        return "The lease ran out before its work was done: another worker has the set."
    # Only the kind: the text of an error that nobody foresaw may hold anything, a token too.
    return f"An unforeseen {type(error).__name__}: the log has the details."
