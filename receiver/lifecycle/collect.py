"""Bring every request's final status and result of complete sets into SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from receiver.graph.looks import BATCH_MOST
from receiver.graph.wire import SetReading, SetShown
from receiver.lifecycle import canceled, knowledge, plan
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.pages import Page, Unread, Unreadable, first_call, read_pages
from receiver.lifecycle.put_off import put_off
from receiver.lifecycle.shared_lease import SharedLease
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.together import parts, write_together
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.verdict import PENDING, verdict_of
from receiver.metrics import COLLECT_SECONDS
from receiver.store import claims, deliveries, looks, results, searches
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session
from receiver.store.looks import Collected, LookRecord
from receiver.store.results import Progress, ReadPage

_ROWS_A_TRANSACTION = 1000
"""Some ten milliseconds: nobody else writes to SQLite meanwhile, and no hint is applied."""


@dataclass(frozen=True)
class Complete:
    """A claimed set that a look showed complete, perhaps with the first page of its requests."""

    claim: Claim
    shown: SetShown
    read_at: datetime


@dataclass(frozen=True)
class _Tally:
    """What one collecting has read so far."""

    started_at: datetime | None = None
    calls: int = 0
    rows: int = 0
    unreadable: int = 0
    refused: tuple[int, ...] = ()

    def with_page(self, page: Page, *, refused: Sequence[int]) -> _Tally:
        return replace(
            self,
            started_at=self.started_at or page.read_at,
            calls=self.calls + page.calls,
            rows=self.rows + len(page.value.requests),
            unreadable=self.unreadable + page.value.unreadable,
            refused=(*self.refused, *refused),
        )

    def record(self, *, ended_at: datetime) -> LookRecord:
        """Return what is kept of it."""
        return LookRecord(
            kind="requests",
            started_at=self.started_at or ended_at,
            ended_at=ended_at,
            calls=self.calls,
            rows=self.rows,
        )


@dataclass(frozen=True)
class _Written:
    """A set of which a page was written, and how it ended if that was the last one."""

    of: _Collecting
    tally: _Tally
    is_read: bool
    outcome: str | None = None

    @property
    def claim(self) -> Claim:
        return self.of.claim


@dataclass
class _Collecting:
    """A set whose requests are being read."""

    reading: SetReading
    unread: Unread
    tally: _Tally = field(default_factory=_Tally)
    outcome: str | None = None
    _began: float = field(default_factory=time.monotonic)

    @property
    def claim(self) -> Claim:
        return self.unread.claim

    def take(self, written: _Written | None) -> None:
        """Go by what was written of it; None where it was put off, or its lease was lost."""
        if written is None:
            self.end("failed")
            return
        self.tally = written.tally
        if written.outcome is not None:
            self.end(written.outcome)

    def end(self, outcome: str) -> None:
        self.outcome = outcome
        self.unread.is_over = True
        COLLECT_SECONDS.labels(outcome).observe(time.monotonic() - self._began)


@dataclass(frozen=True)
class _Arrived:
    """A page that is to be written."""

    of: _Collecting
    page: Page
    kind: str = "requests"

    @property
    def claim(self) -> Claim:
        return self.of.claim

    @property
    def started_at(self) -> datetime:
        return self.of.tally.started_at or self.page.read_at

    @property
    def calls(self) -> int:
        return self.of.tally.calls + self.page.calls


def collect(
    tools: Tools, complete: Sequence[Complete], *, known: Knowledge, lease: SharedLease
) -> None:
    """Read all requests of some sets of one account and let go of them.

    A set is collected when as many rows as Facebook counts are in SQL, all of them final. Running
    it again changes nothing. What goes wrong with one puts that one off. Raises DatabaseAway.
    """
    sets = [_Collecting(each.shown.reading, Unread(each.claim)) for each in complete]
    _write(tools, [one for each in map(_shown_with, complete, sets) for one in each])
    by_id = {one.claim.request_set_id: one for one in sets}
    while unread := [one.unread for one in sets if not one.unread.is_over]:
        lease.keep()
        read = read_pages(tools, _first_call(tools, unread, known=known), known=known)
        _write(tools, _take_pages(tools, by_id, read))
    if any(one.tally.rows for one in sets):
        knowledge.grow_page(tools, sets[0].claim.account_id, known=known)


def _shown_with(complete: Complete, of: _Collecting) -> Iterator[_Arrived]:
    """Take the first page of a set that was shown with it."""
    requests = complete.shown.requests
    if requests is not None:
        yield _Arrived(of, of.unread.turn(requests, read_at=complete.read_at))


def _first_call(tools: Tools, unread: Sequence[Unread], *, known: Knowledge) -> list[Unread]:
    return first_call(
        tools,
        unread[0].claim.account_id,
        unread,
        rows=partial(Unread.rows_of_page, known=known),
        purpose=Purpose.COLLECT,
        known=known,
    )


def _take_pages(
    tools: Tools, by_id: Mapping[int, _Collecting], read: Sequence[Page | Unreadable]
) -> list[_Arrived]:
    """Return the pages that a call has read; the sets of which it could read none are put off."""
    arrived = []
    for one in read:
        of = by_id[one.unread.claim.request_set_id]
        if isinstance(one, Page):
            arrived.append(_Arrived(of, one))
        else:
            of.end("failed")
            error = one.error_after(of.tally.calls)
            put_off(tools, of.claim, error, kind="requests", started_at=one.read_at)
    return arrived


def _write(tools: Tools, arrived: Sequence[_Arrived]) -> None:
    """Write pages, and let go of the sets whose last page is among them."""
    for part in parts(
        arrived,
        rows=lambda one: len(one.page.value.requests),
        most_rows=_ROWS_A_TRANSACTION,
        most=BATCH_MOST,
    ):
        written = write_together(tools, part, partial(_write_pages, tools))
        tallies = {one.claim.request_set_id: one for one in written}
        for one in part:
            one.of.take(tallies.get(one.claim.request_set_id))


def _write_pages(
    tools: Tools, session: Session, arrived: Sequence[_Arrived], now: datetime
) -> list[_Written]:
    refused = results.upsert(session, [_read_page(one.claim, one.page) for one in arrived])
    written = [
        _Written(
            one.of,
            one.of.tally.with_page(one.page, refused=refused.get(one.claim.request_set_id, ())),
            is_read=one.page.is_last,
        )
        for one in arrived
    ]
    ended = [one for one in written if one.is_read]
    outcomes = _finish(tools, session, ended, now=now) if ended else {}
    return [replace(one, outcome=outcomes.get(one.claim.request_set_id)) for one in written]


def _read_page(claim: Claim, page: Page) -> ReadPage:
    return ReadPage(
        claim.request_set_id, claim.account_id, page.value.requests, read_at=page.read_at
    )


def _finish(
    tools: Tools, session: Session, ended: Sequence[_Written], *, now: datetime
) -> dict[int, str]:
    """Let go of sets that were read to their end; return by their ids how that ended."""
    looks.add_looks(session, [(one.claim, one.tally.record(ended_at=now)) for one in ended])
    progress = results.progress(session, [one.claim.request_set_id for one in ended])
    closed: list[tuple[_Written, str | None]] = []
    for one in ended:
        known = progress[one.claim.request_set_id]
        missing = _what_is_missing(
            known, one.of.reading, one.tally, spec_count=one.claim.spec_count
        )
        if missing is None or _is_odd_for_good(one.claim, known, missing, now=now):
            closed.append((one, missing))
        else:
            _leave(tools, session, one.claim, missing=missing, now=now)
    if closed:
        _close(tools, session, closed, now=now)
    return {
        **{one.claim.request_set_id: "incomplete" for one in ended},
        **{one.claim.request_set_id: "collected" for one, _ in closed},
    }


def _is_odd_for_good(claim: Claim, progress: Progress, missing: str, *, now: datetime) -> bool:
    """Tell whether nothing is missing but statuses that somebody knows, after long enough."""
    is_settled = plan.are_statuses_settled(claim.completed_at or now, now=now)
    return progress.is_odd and is_settled and missing == _not_final(progress)


def _leave(tools: Tools, session: Session, claim: Claim, *, missing: str, now: datetime) -> None:
    look_at = plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )
    looks.finish(session, claim, look_at=look_at, reason=missing)


def _close(
    tools: Tools,
    session: Session,
    closed: Sequence[tuple[_Written, str | None]],
    *,
    now: datetime,
) -> None:
    """Close sets that are collected, each with what was odd about it."""
    ids = [one.claim.request_set_id for one, _ in closed]
    notified = searches.are_notified(session, ids)
    collected = [
        _collected(
            tools,
            one,
            flag=flag,
            is_notified=one.claim.request_set_id in notified,
            now=now,
        )
        for one, flag in closed
    ]
    looks.finish_collected(session, collected, now=now)
    canceled.release(session, ids)
    deliveries.add_if_wanted(session, ids, now=now)


def _collected(
    tools: Tools, one: _Written, *, flag: str | None, is_notified: bool, now: datetime
) -> Collected:
    completed_at = one.claim.completed_at or now
    verdict = verdict_of(
        one.of.reading,
        is_notified=is_notified,
        completed_at=completed_at,
        pace=tools.pace,
        now=now,
    )
    look_at = verdict_due(tools, verdict, completed_at=completed_at)
    return Collected(one.claim, verdict, look_at=look_at, flag=flag)


def collect_open(tools: Tools, claim: Claim) -> bool:
    """Read all pages of the requests of a set at work into SQL, and keep the claim.

    Returns True. Raises NoPoints, CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    known = knowledge.of_account(tools, claim.account_id)
    unread, tally = Unread(claim), _Tally(started_at)
    while not unread.is_over:
        for read in read_pages(tools, [unread], known=known):
            if isinstance(read, Unreadable):
                raise read.error_after(tally.calls)
            tally = tally.with_page(read, refused=())
            with _holding(tools, claim, calls=tally.calls) as session:
                results.upsert(session, [_read_page(claim, read)])
    record = tally.record(ended_at=tools.now())
    with _holding(tools, claim, calls=tally.calls) as session:
        looks.add_look(session, claim, record)
    return True


@contextmanager
def _holding(tools: Tools, claim: Claim, *, calls: int) -> Iterator[Session]:
    """Write under the lease; one that is lost knows what the look had cost."""
    try:
        with tools.database.writing() as session:
            claims.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
            yield session
    except LeaseLost as lost:
        lost.calls = calls
        raise


def verdict_due(tools: Tools, verdict: str, *, completed_at: datetime | None) -> datetime | None:
    """When a collected set is looked at once more: only while its verdict is out."""
    if verdict != PENDING or completed_at is None:
        return None
    return plan.verdict_look_at(tools.pace, completed_at=completed_at)


def _what_is_missing(
    progress: Progress, reading: SetReading, tally: _Tally, *, spec_count: int
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
        return _not_final(progress)
    return None


def _not_final(progress: Progress) -> str:
    return f"{progress.rows - progress.final} requests have no final status yet{progress.odd}."
