"""Statements on looks: write what was read of a claimed set, and let go of it.

Every write here carries the lease of the claim (``claims``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, insert, literal, or_
from sqlalchemy.orm import Session

from receiver.graph.wire import SetReading
from receiver.metrics import LOOKS
from receiver.store import intents, statistics
from receiver.store.claims import Claim, write_held, write_held_each
from receiver.store.models import Look, RequestSet
from receiver.store.types import UTCDateTime


@dataclass(frozen=True)
class LookRecord:
    """What one reading at Facebook was for, took and showed."""

    kind: str
    started_at: datetime
    ended_at: datetime
    calls: int
    rows: int = 0
    is_completed: bool | None = None
    verdict: str | None = None
    error_code: int | None = None
    error: str | None = None


def add_look(session: Session, claim: Claim, record: LookRecord) -> None:
    """Keep what a reading showed; see add_looks."""
    add_looks(session, [(claim, record)])


def add_looks(session: Session, made: Sequence[tuple[Claim, LookRecord]]) -> None:
    """Keep what readings showed. Evidence is kept whatever became of the leases."""
    session.execute(insert(Look), [_look(claim, record) for claim, record in made])
    for _, record in made:
        # Here alone every look passes. One whose transaction fails is counted and made again.
        judged = record.verdict or ("unjudged" if record.error is None else "error")
        LOOKS.labels(record.kind, judged).inc()


def _look(claim: Claim, record: LookRecord) -> dict[str, object]:
    values = vars(record).copy()
    took = values.pop("ended_at") - record.started_at
    return {
        "request_set_id": claim.request_set_id,
        "account_id": claim.account_id,
        "why": claim.why,
        # Never negative, should the clock jump.
        "duration_ms": max(0, round(took.total_seconds() * 1000)),
        **values,
    }


@dataclass(frozen=True)
class Shown:
    """What a look showed of a claimed set.

    ``asked_at`` is when the reading began: whatever was hinted later is news to it.
    """

    claim: Claim
    reading: SetReading
    verdict: str
    asked_at: datetime
    etag: str | None = None


def write_readings(session: Session, shown: Sequence[Shown], *, now: datetime) -> None:
    """Write what looks showed of some sets. Raises LeaseLost.

    A set that is complete stays so, and keeps when and by what we learned it first.
    """
    write_held_each(session, [(one.claim, _read_values(one, now=now)) for one in shown])


def _read_values(shown: Shown, *, now: datetime) -> dict[str, object]:
    claim, reading = shown.claim, shown.reading
    values: dict[str, object] = {
        "owner_id": reading.owner_id,
        "total_count": reading.total_count,
        "initial_count": reading.initial_count,
        "in_progress_count": reading.in_progress_count,
        "success_count": reading.success_count,
        "error_count": reading.error_count,
        "canceled_count": reading.canceled_count,
        "notification_status": reading.notification_status,
        "notification_result": reading.notification_result,
        "created_time": reading.created_time,
        "updated_time": reading.updated_time,
        "verdict": shown.verdict,
        "looked_at": shown.asked_at,
        "etag": shown.etag,
    }
    if reading.is_completed and claim.completed_at is None:
        values |= {"is_completed": True, "completed_at": now, "learned_by": claim.why}
    if reading.is_completed and claim.state in (intents.OPEN, intents.STUCK):
        values["state"] = intents.COMPLETED
    elif claim.state == intents.STUCK:
        # It is there after all.
        values["state"] = intents.OPEN
    if reading.notification_uri is not None or reading.is_completed:
        # A complete set is told nothing any more.
        values["uri_pending"] = False
    return values


def write_unchanged(session: Session, claim: Claim, *, asked_at: datetime) -> None:
    """Write that a look showed nothing new of a set at work. Raises LeaseLost."""
    write_held(session, claim, {"looked_at": asked_at})


def keep_place(
    session: Session, claim: Claim, *, page_limit: int | None, page_after: str | None
) -> None:
    """Keep how many requests of a set are asked for at once, and behind which. Raises LeaseLost."""
    write_held(session, claim, {"page_limit": page_limit, "page_after": page_after})


def forget_place(session: Session, claim: Claim) -> None:
    """Let the next look at a set begin with its first page. Raises LeaseLost."""
    if claim.page_after is not None:
        write_held(session, claim, {"page_after": None})


def leave_stuck(session: Session, claim: Claim, *, reason: str, look_at: datetime) -> None:
    """Let go of a set with an id that a person has to look at. Raises LeaseLost."""
    values = {
        **intents.RELEASED,
        "state": intents.STUCK,
        "state_reason": reason,
        "look_at": look_at,
    }
    write_held(session, claim, values)


@dataclass(frozen=True)
class Collected:
    """A claimed set whose every request's final result is in SQL.

    ``look_at`` is for a verdict that is still out; None when nothing is left to learn.
    """

    claim: Claim
    verdict: str
    look_at: datetime | None
    flag: str | None = None


def finish_collected(session: Session, collected: Sequence[Collected], *, now: datetime) -> None:
    """Close some sets. Raises LeaseLost."""
    ids = [one.claim.request_set_id for one in collected]
    statistics.count_collected(session, ids, now=now)
    write_held_each(session, [(one.claim, _closed(one, now=now)) for one in collected])


def _closed(collected: Collected, *, now: datetime) -> dict[str, object]:
    return {
        **intents.RELEASED,
        "state": intents.COLLECTED,
        "state_reason": None,
        "flag": collected.flag,
        "etag": None,
        # One that is collected again keeps the moment at which it first was.
        "collected_at": collected.claim.collected_at or now,
        "verdict": collected.verdict,
        "look_at": collected.look_at,
        "quiet_looks": 0,
    }


def give_up_verdict(session: Session, claim: Claim, *, verdict: str) -> None:
    """Let go of a collected set that Facebook no longer shows. Raises LeaseLost.

    A notification that came meanwhile has given the verdict already. One that is to be collected
    again meanwhile stays due.
    """
    write_held(session, claim, _forgotten(claim, verdict=verdict))


def leave_collected(session: Session, claim: Claim, *, verdict: str, reason: str) -> None:
    """Let go of a set that was collected and that Facebook cannot show once more. Raises LeaseLost.

    It is collected as before: nothing that is known of it is lost.
    """
    values = _forgotten(claim, verdict=verdict)
    write_held(
        session, claim, {**values, "state": intents.COLLECTED, "state_reason": reason, "etag": None}
    )


def _forgotten(claim: Claim, *, verdict: str) -> dict[str, object]:
    """What is written of a set that Facebook no longer shows: it is not looked at any more.

    Unless somebody made it due, or had it read again, since the claim.
    """
    is_out = and_(RequestSet.state == claim.state, RequestSet.verdict == "pending")
    nothing = literal(None, UTCDateTime())
    return {
        **intents.RELEASED,
        "verdict": case((is_out, verdict), else_=RequestSet.verdict),
        "look_at": case((_is_ours_to_set(claim, nothing), nothing), else_=RequestSet.look_at),
    }


def finish(
    session: Session,
    claim: Claim,
    *,
    look_at: datetime | None,
    progressed: bool = False,
    reason: str | None = None,
) -> None:
    """Let go of a set that is due again at ``look_at``. Raises LeaseLost.

    ``reason`` tells people why it is not collected yet.
    """
    due = literal(look_at, UTCDateTime())
    values: dict[str, object] = {
        **intents.RELEASED,
        "state_reason": _reason(claim, reason),
        "look_at": case((_is_ours_to_set(claim, due), due), else_=RequestSet.look_at),
    }
    if progressed:
        values["quiet_looks"] = 0
    write_held(session, claim, values)


def _reason(claim: Claim, reason: str | None) -> str | None:
    """Why a set is rejected or stuck stands until it is opened; a collected one needs no reason."""
    if claim.state in intents.DECIDED and claim.facebook_id is None:
        return claim.state_reason
    return None if claim.state == intents.COLLECTED else reason


def _is_ours_to_set(claim: Claim, due: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether nobody has made the set due since the claim, and for sooner.

    A hint leaves ``look_at`` alone where the set is due sooner anyway; after a long step that may
    still be the moment that the claim wrote.
    """
    is_unhinted = RequestSet.hinted_at.is_not_distinct_from(claim.hinted_at)
    return and_(RequestSet.look_at == claim.look_at, or_(is_unhinted, RequestSet.look_at > due))
