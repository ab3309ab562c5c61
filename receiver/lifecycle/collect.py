"""Bring every request's final status and result of a complete set into SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from receiver.graph.client import Answered
from receiver.graph.errors import CallFailed
from receiver.graph.wire import RequestsPage, SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.look import verdict_due
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import verdict_of
from receiver.store import deliveries, looks, notifications, results
from receiver.store.database import Session
from receiver.store.looks import Claim, LeaseLost, LookRecord

_MAX_PAGES = 200
"""Far more than a set has, even in short pages: a cursor that never ends is given up here."""


@dataclass
class _Tally:
    """What one collecting has read so far."""

    calls: int = 0
    rows: int = 0
    unreadable: int = 0
    refused: list[int] = field(default_factory=list)


def collect(tools: Tools, claim: Claim, reading: SetReading) -> bool:
    """Read all pages of a complete set's requests into SQL, and let go of the set.

    Returns whether the set is collected now: as many rows as Facebook counts, all of them final.
    Running it again changes nothing. Raises CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    tally = _read(tools, claim)
    return _finish(tools, claim, reading, tally=tally, started_at=started_at)


def collect_open(tools: Tools, claim: Claim) -> bool:
    """Read all pages of the requests of a set at work into SQL, and keep the claim.

    Returns True. Raises CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    tally = _read(tools, claim)
    now = tools.now()
    record = LookRecord(
        kind="requests", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
    )
    with tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
    return True


def _read(tools: Tools, claim: Claim) -> _Tally:
    tally = _Tally()
    try:
        for read_at, answered in _pages(tools, claim):
            _store(tools, claim, answered, tally=tally, read_at=read_at)
    except (CallFailed, LeaseLost) as failure:
        # The pages before it were asked for too.
        failure.calls += tally.calls
        raise
    return tally


def _pages(tools: Tools, claim: Claim) -> Iterator[tuple[datetime, Answered[RequestsPage]]]:
    if claim.facebook_id is None:
        raise ValueError("A set without Facebook's id cannot be collected.")
    credential = credential_of(tools, claim.account_id)
    after: str | None = None
    seen: set[str] = set()
    while len(seen) < _MAX_PAGES:
        read_at = tools.now()
        answered = tools.client.read_requests(credential, claim.facebook_id, after=after)
        yield read_at, answered
        after = answered.value.after
        if after is None or after in seen:
            return
        seen.add(after)


def _store(
    tools: Tools,
    claim: Claim,
    answered: Answered[RequestsPage],
    *,
    tally: _Tally,
    read_at: datetime,
) -> None:
    page = answered.value
    tally.calls += answered.calls
    with tools.database.writing() as session:
        # The lease is checked in the transaction that writes the rows: whoever lost it while
        # Facebook was slow writes nothing.
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
        refused = results.upsert(session, claim.request_set_id, page.requests, read_at=read_at)
    tally.rows += len(page.requests)
    tally.unreadable += page.unreadable
    tally.refused += refused


def _finish(
    tools: Tools, claim: Claim, reading: SetReading, *, tally: _Tally, started_at: datetime
) -> bool:
    now = tools.now()
    record = LookRecord(
        kind="requests", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
    )
    with tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
        progress = results.progress(session, claim.request_set_id)
        missing = _what_is_missing(progress, reading, tally, spec_count=claim.spec_count)
        if missing is None:
            _close(session, tools, claim, reading, now=now)
        else:
            look_at = plan.next_look_at(
                tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
            )
            looks.finish(session, claim, look_at=look_at, reason=missing)
    return missing is None


def _close(
    session: Session, tools: Tools, claim: Claim, reading: SetReading, *, now: datetime
) -> None:
    completed_at = claim.completed_at or now
    verdict = verdict_of(
        reading,
        is_notified=notifications.is_notified(session, claim.request_set_id),
        completed_at=completed_at,
        pace=tools.pace,
        now=now,
    )
    look_at = verdict_due(tools, verdict, completed_at=completed_at)
    looks.finish_collected(session, claim, verdict=verdict, look_at=look_at, now=now)
    deliveries.add_if_wanted(session, claim.request_set_id, now=now)


def _what_is_missing(
    progress: results.Progress, reading: SetReading, tally: _Tally, *, spec_count: int
) -> str | None:
    """Say in words why a set is not collected yet; None when nothing is missing."""
    if tally.refused or tally.unreadable:
        first = f", the first is {tally.refused[0]}" if tally.refused else ""
        count = len(tally.refused) + tally.unreadable
        return f"{count} of the requests that Facebook showed cannot be stored{first}."
    if reading.total_count is None:
        return "Facebook does not say how many requests the set has."
    if reading.total_count != spec_count:
        # A set that lost some of its ads on the way, or one that is not readable yet.
        return f"Facebook counts {reading.total_count} requests of {spec_count} that were sent."
    if progress.rows != reading.total_count:
        return f"Facebook showed {progress.rows} of {reading.total_count} requests."
    if progress.final != progress.rows:
        return f"{progress.rows - progress.final} requests have no final status yet."
    return None
