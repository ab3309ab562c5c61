"""Read the truth about one set at Facebook, give the verdict, and write both."""

from __future__ import annotations

from datetime import datetime

from receiver.graph.client import Answered
from receiver.graph.wire import SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.change import tell_uri
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import PENDING, verdict_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import intents, looks, notifications
from receiver.store.database import Session
from receiver.store.intents import Attempt
from receiver.store.looks import Claim, LeaseLost, LookRecord


def look(tools: Tools, claim: Claim) -> SetReading | None:
    """Look at a claimed set, and let go of it unless its requests are to be collected now.

    Returns the reading of a complete set that is not collected yet; the claim still holds then.
    Raises CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    if claim.facebook_id is None:
        raise ValueError("A set without Facebook's id cannot be looked at.")
    started_at = tools.now()
    credential = credential_of(tools, claim.account_id)
    answered = tools.client.read_set(credential, claim.facebook_id)
    note_usage(tools, claim.account_id, answered.usage)
    if _should_be_told(claim, answered.value):
        attempt = Attempt(claim.request_set_id, number=claim.attempt)
        tell_uri(tools, credential, attempt, facebook_id=claim.facebook_id)
    try:
        is_due_for_collecting = _write(tools, claim, answered, started_at=started_at)
    except LeaseLost as lost:
        lost.calls = answered.calls
        raise
    return answered.value if is_due_for_collecting else None


def _should_be_told(claim: Claim, reading: SetReading) -> bool:
    """Tell whether Facebook still has to know our URI of a set; a complete one notifies nobody."""
    return claim.uri_pending and reading.notification_uri is None and not reading.is_completed


def _write(
    tools: Tools, claim: Claim, answered: Answered[SetReading], *, started_at: datetime
) -> bool:
    """Write what a look showed; return whether the claim is kept to collect the requests."""
    reading, now = answered.value, tools.now()
    completed_at = claim.completed_at or (now if reading.is_completed else None)
    with tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        verdict = verdict_of(
            reading,
            is_notified=notifications.is_notified(session, claim.request_set_id),
            completed_at=completed_at,
            pace=tools.pace,
            now=now,
        )
        record = LookRecord(
            kind="set",
            started_at=started_at,
            ended_at=now,
            calls=answered.calls,
            is_completed=reading.is_completed,
            verdict=verdict,
        )
        looks.add_look(session, claim, record)
        looks.write_reading(session, claim, reading, verdict=verdict, asked_at=started_at, now=now)
        if reading.is_completed and claim.state != intents.COLLECTED:
            return True
        _let_go(session, tools, claim, reading, verdict=verdict, now=now)
    return False


def _let_go(
    session: Session,
    tools: Tools,
    claim: Claim,
    reading: SetReading,
    *,
    verdict: str,
    now: datetime,
) -> None:
    if claim.state == intents.COLLECTED:
        due = verdict_due(tools, verdict, completed_at=claim.completed_at)
        looks.finish(session, claim, look_at=due)
        return
    progressed = _counts(reading) != claim.counts
    look_at = plan.next_look_at(
        tools.pace,
        quiet_looks=1 if progressed else claim.quiet_looks,
        now=now,
        chance=tools.chance(),
    )
    looks.finish(session, claim, look_at=look_at, progressed=progressed)


def _counts(reading: SetReading) -> tuple[int | None, ...]:
    return (
        reading.initial_count,
        reading.in_progress_count,
        reading.success_count,
        reading.error_count,
        reading.canceled_count,
    )


def verdict_due(tools: Tools, verdict: str, *, completed_at: datetime | None) -> datetime | None:
    """When a collected set is looked at once more: only while its verdict is out."""
    if verdict != PENDING or completed_at is None:
        return None
    return plan.verdict_look_at(tools.pace, completed_at=completed_at)
