"""Write what a look showed of one set, and let go of it unless its requests are to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from receiver.graph.wire import SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.change import tell_uri
from receiver.lifecycle.collect import verdict_due
from receiver.lifecycle.experience import Experience
from receiver.lifecycle.plan import Moved
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import verdict_of
from receiver.store import claims, intents, looks, notifications
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session
from receiver.store.intents import Attempt
from receiver.store.looks import LookRecord


@dataclass(frozen=True)
class Look:
    """One set's share of a call that read it: ``calls`` stands with the first set of a call."""

    claim: Claim
    kind: str
    started_at: datetime
    calls: int
    learned: Experience

    def record(
        self, *, ended_at: datetime, is_completed: bool | None = None, verdict: str | None = None
    ) -> LookRecord:
        """Return what is kept of it."""
        return LookRecord(
            kind=self.kind,
            started_at=self.started_at,
            ended_at=ended_at,
            calls=self.calls,
            is_completed=is_completed,
            verdict=verdict,
        )


def write_nothing_new(tools: Tools, look: Look, *, is_completed: bool | None) -> None:
    """Write a look that showed no news of a set, and let go of it. Raises LeaseLost, DatabaseAway.

    ``is_completed`` is False for what has not changed, None for what a list does not show.
    """
    claim, now = look.claim, tools.now()
    with _holding(tools, look, now=now) as session:
        looks.add_look(session, claim, look.record(ended_at=now, is_completed=is_completed))
        looks.write_unchanged(session, claim, asked_at=look.started_at)
        _let_go(session, tools, look, None, now=now)


def write_reading(tools: Tools, look: Look, reading: SetReading, *, etag: str | None) -> bool:
    """Write what a look showed; return whether the claim is kept to collect the requests.

    Raises CallFailed, CannotOpen, LeaseLost, DatabaseAway.
    """
    claim = look.claim
    _tell_uri_if_pending(tools, claim, reading)
    now = tools.now()
    completed_at = claim.completed_at or (now if reading.is_completed else None)
    with _holding(tools, look, now=now) as session:
        verdict = verdict_of(
            reading,
            is_notified=notifications.is_notified(session, claim.request_set_id),
            completed_at=completed_at,
            pace=tools.pace,
            now=now,
        )
        record = look.record(ended_at=now, is_completed=reading.is_completed, verdict=verdict)
        looks.add_look(session, claim, record)
        looks.write_reading(
            session, claim, reading, verdict=verdict, asked_at=look.started_at, now=now, etag=etag
        )
        if claim.state == intents.COLLECTED:
            due = verdict_due(tools, verdict, completed_at=claim.completed_at)
            looks.finish(session, claim, look_at=due)
        elif reading.is_completed:
            return True
        else:
            _let_go(session, tools, look, reading, now=now)
    return False


@contextmanager
def _holding(tools: Tools, look: Look, *, now: datetime) -> Iterator[Session]:
    """Write under the lease; one that is lost knows what the look had cost."""
    try:
        with tools.database.writing() as session:
            claims.hold(session, look.claim, lease_until=plan.lease_until(tools.pace, now=now))
            yield session
    except LeaseLost as lost:
        lost.calls = look.calls
        raise


def _tell_uri_if_pending(tools: Tools, claim: Claim, reading: SetReading) -> None:
    """Tell Facebook our URI of a set if it does not know it; a complete one notifies nobody."""
    if claim.uri_pending and reading.notification_uri is None and not reading.is_completed:
        attempt_of_set = Attempt(claim.request_set_id, number=claim.attempt)
        credential = credential_of(tools, claim.account_id)
        tell_uri(
            tools,
            credential,
            attempt_of_set,
            account_id=claim.account_id,
            facebook_id=reading.id,
        )


def _let_go(
    session: Session, tools: Tools, look: Look, reading: SetReading | None, *, now: datetime
) -> None:
    """Let go of a set at work. Counts that moved tell when it may be complete."""
    claim = look.claim
    moved = _moved(claim, reading)
    look_at = plan.look_after(
        tools.pace,
        moved=moved,
        quiet_looks=claim.quiet_looks,
        loss_rate=look.learned.loss_rate,
        now=now,
        chance=tools.chance(),
    )
    looks.finish(session, claim, look_at=look_at, progressed=moved is not None)


def _moved(claim: Claim, reading: SetReading | None) -> Moved | None:
    if reading is None or _counts(reading) == claim.counts:
        return None
    done = (reading.success_count, reading.error_count, reading.canceled_count)
    return Moved(
        sum(count or 0 for count in done), total=reading.total_count or 0, since=claim.opened_at
    )


def _counts(reading: SetReading) -> tuple[int | None, ...]:
    return (
        reading.initial_count,
        reading.in_progress_count,
        reading.success_count,
        reading.error_count,
        reading.canceled_count,
    )
