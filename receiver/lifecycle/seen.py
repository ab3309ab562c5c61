"""Write what a look showed of one set, and let go of it unless its requests are to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from receiver.graph.wire import SetReading, SetShown
from receiver.lifecycle import plan
from receiver.lifecycle.change import tell_uri
from receiver.lifecycle.experience import Experience
from receiver.lifecycle.plan import Moved
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import verdict_due, verdict_of
from receiver.store import intents, looks, searches
from receiver.store.claims import Claim
from receiver.store.database import Session
from receiver.store.intents import Attempt
from receiver.store.looks import LookRecord, Shown


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


def write_nothing_new(
    tools: Tools,
    session: Session,
    made: Sequence[Look],
    now: datetime,
    *,
    is_completed: bool | None,
) -> list[Look]:
    """Write looks that showed no news of some sets, and let go of those. Raises LeaseLost.

    ``is_completed`` is False for what has not changed, None for what a list does not show.
    """
    looks.add_looks(
        session, [(one.claim, one.record(ended_at=now, is_completed=is_completed)) for one in made]
    )
    for one in made:
        looks.write_unchanged(session, one.claim, asked_at=one.started_at)
        _let_go(session, tools, one, None, now=now)
    return []


@dataclass(frozen=True)
class Seen:
    """What a look showed of a set, and how its answer is named."""

    look: Look
    shown: SetShown
    etag: str | None = None

    @property
    def claim(self) -> Claim:
        return self.look.claim

    @property
    def kind(self) -> str:
        return self.look.kind

    @property
    def started_at(self) -> datetime:
        return self.look.started_at

    @property
    def calls(self) -> int:
        return self.look.calls


def write_readings(
    tools: Tools, session: Session, seen: Sequence[Seen], now: datetime
) -> list[Seen]:
    """Write what looks showed; return those whose claims are kept to collect the requests.

    Raises LeaseLost.
    """
    notified = searches.are_notified(session, [one.claim.request_set_id for one in seen])
    shown = [
        Shown(
            one.claim,
            one.shown.reading,
            verdict=_verdict(tools, one, is_notified=one.claim.request_set_id in notified, now=now),
            asked_at=one.started_at,
            etag=one.etag,
        )
        for one in seen
    ]
    looks.add_looks(session, list(map(partial(_record, ended_at=now), seen, shown)))
    looks.write_readings(session, shown, now=now)
    complete = []
    for one, written in zip(seen, shown, strict=True):
        if one.claim.state == intents.COLLECTED:
            due = verdict_due(tools.pace, written.verdict, completed_at=one.claim.completed_at)
            looks.finish(session, one.claim, look_at=due)
        elif one.shown.reading.is_completed:
            complete.append(one)
        else:
            _let_go(session, tools, one.look, one.shown.reading, now=now)
    return complete


def _verdict(tools: Tools, seen: Seen, *, is_notified: bool, now: datetime) -> str:
    reading = seen.shown.reading
    return verdict_of(
        reading,
        is_notified=is_notified,
        completed_at=seen.claim.completed_at or (now if reading.is_completed else None),
        pace=tools.pace,
        now=now,
    )


def _record(seen: Seen, shown: Shown, *, ended_at: datetime) -> tuple[Claim, LookRecord]:
    is_completed = seen.shown.reading.is_completed
    record = seen.look.record(ended_at=ended_at, is_completed=is_completed, verdict=shown.verdict)
    return seen.claim, record


def tell_uri_if_pending(tools: Tools, claim: Claim, reading: SetReading) -> bool:
    """Tell Facebook our URI of a set if it does not know it; a complete one notifies nobody.

    Returns True. Raises CallFailed, NoPoints, CannotOpen, DatabaseAway.
    """
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
    return True


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
