"""Let go of sets whose requests were read to their end: collected, or to be looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver.graph.wire import SetReading
from receiver.lifecycle import canceled, plan
from receiver.lifecycle.tally import Tally
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.verdict import verdict_due, verdict_of
from receiver.store import deliveries, looks, results, searches
from receiver.store.claims import Claim
from receiver.store.database import Session
from receiver.store.looks import Collected
from receiver.store.results import Progress


@dataclass(frozen=True)
class ReadToEnd:
    """A claimed set as Facebook showed it, and what was read of its requests."""

    claim: Claim
    reading: SetReading
    tally: Tally


def finish(
    tools: Tools, session: Session, ended: Sequence[ReadToEnd], *, now: datetime
) -> dict[int, str]:
    """Let go of sets that were read to their end; return by their ids how that ended."""
    looks.add_looks(session, [(one.claim, one.tally.record(ended_at=now)) for one in ended])
    for one in ended:
        looks.forget_place(session, one.claim)
    progress = results.progress(session, [one.claim.request_set_id for one in ended])
    closed: list[tuple[ReadToEnd, str | None]] = []
    for one in ended:
        known = progress[one.claim.request_set_id]
        missing = _what_is_passed_by(one) or _what_is_missing(
            known, one.reading, one.tally, spec_count=one.claim.spec_count
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
    """Tell whether nothing is missing but statuses that nobody knows, after long enough."""
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
    closed: Sequence[tuple[ReadToEnd, str | None]],
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
    tools: Tools, one: ReadToEnd, *, flag: str | None, is_notified: bool, now: datetime
) -> Collected:
    completed_at = one.claim.completed_at or now
    verdict = verdict_of(
        one.reading,
        is_notified=is_notified,
        completed_at=completed_at,
        pace=tools.pace,
        now=now,
    )
    look_at = verdict_due(tools.pace, verdict, completed_at=completed_at)
    return Collected(one.claim, verdict, look_at=look_at, flag=flag)


def _what_is_passed_by(one: ReadToEnd) -> str | None:
    """Say what a kept cursor may have passed by, of a set of which all is here from before."""
    if one.claim.page_after is None or one.tally.rows:
        return None
    return "Facebook showed nothing behind the page that was read last."


def _what_is_missing(
    progress: Progress, reading: SetReading, tally: Tally, *, spec_count: int
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
