"""Bring every request's final status and result of complete sets into SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Success
from receiver.graph.errors import TOO_MUCH_DATA, CallFailed, GraphError
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import RequestsPage, SetReading, SetShown
from receiver.lifecycle import canceled, knowledge, plan
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.put_off import attempt, put_all_off, put_off
from receiver.lifecycle.shared_lease import SharedLease
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import PENDING, verdict_of
from receiver.lifecycle.waiting import note_usage
from receiver.metrics import COLLECT_SECONDS
from receiver.store import claims, deliveries, looks, notifications, results
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session
from receiver.store.looks import LookRecord

_MAX_PAGES = 2000
"""More than a set has, even in the shortest pages: a cursor that never ends is given up here."""


@dataclass(frozen=True)
class Complete:
    """A claimed set that a look showed complete, perhaps with the first page of its requests."""

    claim: Claim
    shown: SetShown
    read_at: datetime


@dataclass
class _Tally:
    """What one collecting has read so far."""

    calls: int = 0
    rows: int = 0
    unreadable: int = 0
    refused: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Page:
    """A page of a set's requests, when it was asked for and what that took."""

    value: RequestsPage
    read_at: datetime
    calls: int


def collect(
    tools: Tools, complete: Sequence[Complete], *, known: Knowledge, lease: SharedLease
) -> None:
    """Read all pages of some sets of one account, BATCH_MOST at the most, and let go of them.

    A set is collected when as many rows as Facebook counts are in SQL, all of them final. Running
    it again changes nothing. What goes wrong with one puts that one off. Raises DatabaseAway.
    """
    firsts = {
        each.claim.request_set_id: _Page(each.shown.requests, each.read_at, calls=0)
        for each in complete
        if each.shown.requests is not None
    }
    unread = [each for each in complete if each.claim.request_set_id not in firsts]
    if len(unread) > 1:
        firsts |= _read_firsts(tools, unread, known=known)
        unread_ids = {each.claim.request_set_id for each in unread}
        complete = [
            each
            for each in complete
            if each.claim.request_set_id in firsts or each.claim.request_set_id not in unread_ids
        ]
    for each in complete:
        lease.keep()
        first = firsts.get(each.claim.request_set_id)
        attempt(
            tools,
            each.claim,
            kind="requests",
            work=partial(_collect_one, tools, each, first, known=known),
        )


def _read_firsts(tools: Tools, unread: Sequence[Complete], *, known: Knowledge) -> dict[int, _Page]:
    """Read the first pages of some sets in one call; those that fail are put off."""
    started_at, account_id = tools.now(), unread[0].claim.account_id
    set_ids = [each.claim.facebook_id or 0 for each in unread]
    try:
        reserve(tools, account_id, cost=len(set_ids) * READ_POINTS, purpose=Purpose.COLLECT)
        answered = graph_looks.first_pages(
            tools.client,
            credential_of(tools, account_id),
            set_ids,
            limit=known.page_limit or MAX_PAGE_LIMIT,
        )
    except (CallFailed, CannotOpen, NoPoints) as error:
        claims = [each.claim for each in unread]
        put_all_off(tools, claims, error, kind="requests", started_at=started_at)
        return {}
    note_usage(tools, account_id, answered.usage)
    firsts = {}
    calls = answered.calls
    for each, seen in zip(unread, answered.value, strict=True):
        if isinstance(seen, Success):
            firsts[each.claim.request_set_id] = _Page(seen.value, started_at, calls=calls)
        elif isinstance(seen, CallFailed):
            seen.calls = calls
            _halve_if_too_much(tools, account_id, seen, known=known)
            put_off(tools, each.claim, seen, kind="requests", started_at=started_at)
        calls = 0
    return firsts


def _collect_one(
    tools: Tools, complete: Complete, first: _Page | None, *, known: Knowledge
) -> bool:
    """Read a set's pages and let go of it; return whether it is collected now."""
    started_at = tools.now() if first is None else first.read_at
    outcome, began = "failed", time.monotonic()
    try:
        tally = _read(tools, complete.claim, first, known=known)
        knowledge.grow_page(tools, complete.claim.account_id, known=known)
        is_collected = _finish(
            tools, complete.claim, complete.shown.reading, tally=tally, started_at=started_at
        )
        outcome = "collected" if is_collected else "incomplete"
    finally:
        COLLECT_SECONDS.labels(outcome).observe(time.monotonic() - began)
    return is_collected


def collect_open(tools: Tools, claim: Claim) -> bool:
    """Read all pages of the requests of a set at work into SQL, and keep the claim.

    Returns True. Raises NoPoints, CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    known = knowledge.of_account(tools, claim.account_id)
    tally = _read(tools, claim, None, known=known)
    now = tools.now()
    record = LookRecord(
        kind="requests", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
    )
    with tools.database.writing() as session:
        claims.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
    return True


def _read(tools: Tools, claim: Claim, first: _Page | None, *, known: Knowledge) -> _Tally:
    tally = _Tally()
    try:
        for page in _pages(tools, claim, first, known=known):
            _store(tools, claim, page, tally=tally)
    except (CallFailed, NoPoints, LeaseLost) as failure:
        # The pages before it were asked for too.
        failure.calls += tally.calls
        raise
    return tally


def _pages(tools: Tools, claim: Claim, first: _Page | None, *, known: Knowledge) -> Iterator[_Page]:
    after: str | None = None
    if first is not None:
        yield first
        after = first.value.after
        if after is None:
            return
    seen: set[str] = set()
    while len(seen) < _MAX_PAGES:
        page = _read_page(tools, claim, after=after, known=known)
        yield page
        after = page.value.after
        if after is None or after in seen:
            return
        seen.add(after)


def _read_page(tools: Tools, claim: Claim, *, after: str | None, known: Knowledge) -> _Page:
    """Read one page; one that is too much for Facebook is asked for again, half as long."""
    credential = credential_of(tools, claim.account_id)
    calls = 0
    while True:
        read_at = tools.now()
        reserve(tools, claim.account_id, cost=READ_POINTS, purpose=Purpose.COLLECT)
        try:
            answered = tools.client.read_requests(
                credential,
                claim.facebook_id or 0,
                after=after,
                limit=known.page_limit or MAX_PAGE_LIMIT,
            )
        except GraphError as error:
            error.calls += calls
            calls = error.calls
            if not _halve_if_too_much(tools, claim.account_id, error, known=known):
                raise
        else:
            note_usage(tools, claim.account_id, answered.usage)
            return _Page(answered.value, read_at, calls=calls + answered.calls)


def _halve_if_too_much(
    tools: Tools, account_id: int, error: CallFailed, *, known: Knowledge
) -> bool:
    """Halve the page after an error that asks for less; False where it cannot be less."""
    is_too_much = isinstance(error, GraphError) and error.code == TOO_MUCH_DATA
    if not is_too_much or known.page_limit == 1:
        return False
    knowledge.halve_page(tools, account_id, known=known)
    return True


def _store(tools: Tools, claim: Claim, page: _Page, *, tally: _Tally) -> None:
    tally.calls += page.calls
    with tools.database.writing() as session:
        # The lease is checked in the transaction that writes the rows: whoever lost it while
        # Facebook was slow writes nothing.
        claims.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
        refused = results.upsert(
            session,
            claim.request_set_id,
            page.value.requests,
            account_id=claim.account_id,
            read_at=page.read_at,
        )
    tally.rows += len(page.value.requests)
    tally.unreadable += page.value.unreadable
    tally.refused += refused


def _finish(
    tools: Tools, claim: Claim, reading: SetReading, *, tally: _Tally, started_at: datetime
) -> bool:
    now = tools.now()
    record = LookRecord(
        kind="requests", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
    )
    with tools.database.writing() as session:
        claims.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
        progress = results.progress(session, claim.request_set_id)
        missing = _what_is_missing(progress, reading, tally, spec_count=claim.spec_count)
        completed_at = claim.completed_at or now
        is_odd = progress.is_odd and plan.are_statuses_settled(completed_at, now=now)
        if missing is None or (is_odd and missing == _not_final(progress)):
            _close(session, tools, claim, reading, flag=missing, now=now)
            return True
        look_at = plan.next_look_at(
            tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
        )
        looks.finish(session, claim, look_at=look_at, reason=missing)
    return False


def _close(
    session: Session,
    tools: Tools,
    claim: Claim,
    reading: SetReading,
    *,
    flag: str | None,
    now: datetime,
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
    looks.finish_collected(session, claim, verdict=verdict, look_at=look_at, flag=flag, now=now)
    canceled.release(session, claim.request_set_id)
    deliveries.add_if_wanted(session, claim.request_set_id, now=now)


def verdict_due(tools: Tools, verdict: str, *, completed_at: datetime | None) -> datetime | None:
    """When a collected set is looked at once more: only while its verdict is out."""
    if verdict != PENDING or completed_at is None:
        return None
    return plan.verdict_look_at(tools.pace, completed_at=completed_at)


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
        return _not_final(progress)
    return None


def _not_final(progress: results.Progress) -> str:
    return f"{progress.rows - progress.final} requests have no final status yet{progress.odd}."
