"""Bring every request's final status and result of complete sets into SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from receiver.graph.looks import BATCH_MOST
from receiver.graph.wire import SetReading, SetShown
from receiver.lifecycle import knowledge
from receiver.lifecycle.finish import ReadToEnd, finish
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.pages import Page, Unread, Unreadable, first_call, read_pages
from receiver.lifecycle.put_off import put_off
from receiver.lifecycle.shared_lease import SharedLease
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.tally import Tally
from receiver.lifecycle.together import parts, write_together
from receiver.lifecycle.tools import Tools
from receiver.metrics import COLLECT_SECONDS
from receiver.store import looks, results
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session

_ROWS_A_TRANSACTION = 1000
"""Some ten milliseconds: nobody else writes to SQLite meanwhile, and no hint is applied."""


@dataclass(frozen=True)
class Complete:
    """A claimed set that a look showed complete, perhaps with the first page of its requests."""

    claim: Claim
    shown: SetShown
    read_at: datetime


@dataclass(frozen=True)
class _Written:
    """What was read of a set with the page that was written, and how it ended with the last one."""

    claim: Claim
    tally: Tally
    outcome: str | None


@dataclass
class _Collecting:
    """A set whose requests are being read."""

    reading: SetReading
    unread: Unread
    tally: Tally = field(default_factory=Tally)
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
            _put_off(tools, one, calls=of.tally.calls)
    return arrived


def _put_off(tools: Tools, one: Unreadable, *, calls: int) -> None:
    """Put off a set of which no more could be read: the next look goes on where this one ended."""
    claim, page_limit = one.unread.claim, one.unread.page_limit
    page_after = one.unread.place_after(one.error, chance=tools.chance())
    if (page_limit, page_after) != (claim.page_limit, claim.page_after):
        # Whoever lost the lease is told so by what comes next.
        with suppress(LeaseLost), tools.database.writing() as session:
            looks.keep_place(session, claim, page_limit=page_limit, page_after=page_after)
    put_off(tools, claim, one.error_after(calls), kind="requests", started_at=one.read_at)


def _write(tools: Tools, arrived: Sequence[_Arrived]) -> None:
    """Write pages, and let go of the sets whose last page is among them."""
    for part in parts(
        arrived,
        rows=lambda one: len(one.page.value.requests),
        most_rows=_ROWS_A_TRANSACTION,
        most=BATCH_MOST,
    ):
        written = write_together(tools, part, partial(_write_pages, tools))
        by_id = {one.claim.request_set_id: one for one in written}
        for one in part:
            one.of.take(by_id.get(one.claim.request_set_id))


def _write_pages(
    tools: Tools, session: Session, arrived: Sequence[_Arrived], now: datetime
) -> list[_Written]:
    refused = results.upsert(session, [one.page.to_store() for one in arrived])
    tallies = [
        one.of.tally.with_page(one.page, refused=refused.get(one.claim.request_set_id, ()))
        for one in arrived
    ]
    ended = [
        ReadToEnd(one.claim, one.of.reading, tally)
        for one, tally in zip(arrived, tallies, strict=True)
        if one.page.is_last
    ]
    outcomes = finish(tools, session, ended, now=now) if ended else {}
    return [
        _Written(one.claim, tally, outcome=outcomes.get(one.claim.request_set_id))
        for one, tally in zip(arrived, tallies, strict=True)
    ]
