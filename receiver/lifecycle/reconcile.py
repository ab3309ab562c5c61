"""Compare SQL with Facebook: every set that an account lists, and every intent of a time range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from receiver.graph.errors import CallFailed
from receiver.graph.vocabulary import CREATE_EDGES
from receiver.graph.wire import SetReading
from receiver.lifecycle import listing
from receiver.lifecycle.differences import Difference, Listed, Stored, differences
from receiver.lifecycle.evidence import Sweep, attempt_named
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import keep_wait
from receiver.store import integrity, intents


@dataclass(frozen=True)
class Reconciled:
    """What a comparison read and found."""

    account_id: int
    since: datetime
    until: datetime
    calls: int
    sets: int
    is_whole: bool
    differences: list[Difference]


def reconcile(
    tools: Tools,
    account_id: int,
    *,
    since: datetime,
    until: datetime,
    on_page: Callable[[int], None] = lambda _sets: None,
) -> Reconciled:
    """Compare an account's intents of a time range with what Facebook lists.

    A second set of an intent is kept as evidence; nothing else of the intents is changed.
    ``on_page`` hears how many sets were read so far.
    Raises CallFailed, CannotOpen, DatabaseAway.
    """
    started_at = tools.now()
    try:
        sets, calls, is_whole = _read(tools, account_id, on_page=on_page)
    except CallFailed as failure:
        keep_wait(tools, account_id, failure)
        raise
    listed = Listed(sets, named=_named(tools, sets), is_whole=is_whole)
    found = _compare(tools, account_id, listed, since=since, until=until)
    done = Reconciled(account_id, since, until, calls, len(sets), is_whole, differences=found)
    _keep(tools, done, listed, started_at=started_at)
    return done


def _read(
    tools: Tools, account_id: int, *, on_page: Callable[[int], None]
) -> tuple[dict[int, SetReading], int, bool]:
    credential = credential_of(tools, account_id)
    sets: dict[int, SetReading] = {}
    calls, is_whole = 0, True
    for edge in CREATE_EDGES:
        sweep = Sweep()
        for answered in listing.pages(tools, credential, account_id, edge=edge, into=sweep):
            calls += answered.calls
            sets |= {reading.id: reading for reading in answered.value.sets}
            on_page(len(sets))
        is_whole = is_whole and sweep.is_whole and not sweep.unreadable
    return sets, calls, is_whole


def _named(tools: Tools, sets: dict[int, SetReading]) -> dict[int, intents.Attempt]:
    attempts = {one: attempt_named(tools.keys, reading) for one, reading in sets.items()}
    return {one: attempt for one, attempt in attempts.items() if attempt is not None}


def _compare(
    tools: Tools, account_id: int, listed: Listed, *, since: datetime, until: datetime
) -> list[Difference]:
    with tools.database.reading() as session:
        rows = integrity.sets_between(session, account_id, since=since, until=until)
        named = {attempt.request_set_id for attempt in listed.named.values()}
        known = integrity.known_intents(session, named)
    stored = [Stored(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name
    return differences(stored, listed, known=known, since=since, until=until)


def _keep(tools: Tools, done: Reconciled, listed: Listed, *, started_at: datetime) -> None:
    now = tools.now()
    second = {
        one for each in done.differences if each.kind == "doubled" for one in each.facebook_ids
    }
    with tools.database.writing() as session:
        known = integrity.known_intents(
            session, {listed.named[one].request_set_id for one in second}
        )
        for facebook_id in second:
            if listed.named[facebook_id].request_set_id in known:
                intents.keep_found(
                    session, listed.named[facebook_id], facebook_id=facebook_id, now=now
                )
        integrity.keep_reconciliation(
            session,
            account_id=done.account_id,
            since=done.since,
            until=done.until,
            started_at=started_at,
            ended_at=now,
            calls=done.calls,
            sets=done.sets,
            is_whole=done.is_whole,
            differences=len(done.differences),
        )
