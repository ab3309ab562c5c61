"""Read the truth about an account's sets at Facebook, give the verdicts, and write both.

A look is made for all of an account's sets that are due, in the way that costs the fewest points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Opened, Unchanged
from receiver.graph.client import Answered
from receiver.graph.errors import TOO_MUCH_DATA, CallFailed, GraphError
from receiver.graph.looks import BATCH_MOST, SetAsk
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import SetReading, SetShown
from receiver.lifecycle import knowledge, plan
from receiver.lifecycle.change import tell_uri
from receiver.lifecycle.collect import Complete, collect, verdict_due
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.look_plan import Due, plan_looks
from receiver.lifecycle.put_off import attempt, put_off
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.sweep import sweep
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.verdict import verdict_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import experience, intents, looks, notifications
from receiver.store.database import Session
from receiver.store.intents import Attempt
from receiver.store.looks import Claim, LeaseLost, LookRecord

_BESIDE_MOST = 1000
_EXPANDED_UNSEEN = 50
"""Up to this many requests are read with a set of which nothing tells whether it is complete."""

_PARAMETER = 100
_NO_SUCH_OBJECT = 33


@dataclass(frozen=True)
class _Account:
    """What one look at an account works with."""

    tools: Tools
    account_id: int
    known: Knowledge


def look(tools: Tools, claim: Claim, *, is_alone: bool = False) -> None:
    """Look at a claimed set, and at those of its account that are due as well; let go of all.

    What is complete is collected. What goes wrong with one puts that one off. Raises DatabaseAway.
    """
    account = _Account(tools, claim.account_id, knowledge.of_account(tools, claim.account_id))
    claims = {claim.request_set_id: claim}
    if not is_alone:
        claims |= {one.request_set_id: one for one in _claim_beside(tools, claim)}
    planned = plan_looks(
        [_due(one) for one in claims.values()], sweep_pages=account.known.sweep_pages
    )
    direct = [claims[number] for number in planned.direct]
    expected = [one for one in direct if _is_expected(one)]
    others = [one for one in direct if one not in expected]
    for part in (*_parts(expected), *_parts(others)):
        _look_at(account, part)
    if planned.swept:
        _sweep(account, [claims[number] for number in planned.swept], planned.page_budget)


def _claim_beside(tools: Tools, claim: Claim) -> list[Claim]:
    now, chance = tools.now(), tools.chance()
    soon = timedelta(seconds=tools.pace.look_interval_min_seconds / 2)
    with tools.database.writing() as session:
        return looks.claim_beside(
            session,
            claim,
            now=now,
            # What is due in a moment is read with the rest: one page shows them all.
            due_before=now + soon,
            lease_until=plan.lease_until(tools.pace, now=now),
            next_look_at=lambda quiet_looks: plan.next_look_at(
                tools.pace, quiet_looks=quiet_looks, now=now, chance=chance
            ),
            most=_BESIDE_MOST,
        )


def _due(claim: Claim) -> Due:
    return Due(
        claim.request_set_id,
        edge=claim.edge,
        quiet_looks=claim.quiet_looks,
        is_expected=_is_expected(claim) or claim.uri_pending,
    )


def _is_expected(claim: Claim) -> bool:
    """Tell whether something speaks for a set's being complete, or whether that is known."""
    return claim.state != intents.OPEN or claim.why == "notification"


def _parts(claims: Sequence[Claim]) -> list[Sequence[Claim]]:
    return [claims[start : start + BATCH_MOST] for start in range(0, len(claims), BATCH_MOST)]


def _look_at(account: _Account, claims: Sequence[Claim]) -> None:
    """Read some sets by themselves, in one call."""
    tools, started_at = account.tools, account.tools.now()
    asks = [_ask(account, claim) for claim in claims]
    try:
        answered = _read(account, claims, asks)
    except (CallFailed, CannotOpen, NoPoints) as error:
        for claim in claims:
            put_off(tools, claim, error, kind="set", started_at=started_at)
            # What the call cost counts once.
            error = _without_cost(error)
        return
    complete = []
    calls = answered.calls
    for claim, ask, seen in zip(claims, asks, answered.value, strict=True):
        found = _take(account, claim, ask, seen, started_at=started_at, calls=calls)
        calls = 0
        if found is not None:
            complete.append(found)
    collect(tools, complete, known=account.known)


def _without_cost(error: CallFailed | CannotOpen | NoPoints) -> CallFailed | CannotOpen | NoPoints:
    if not isinstance(error, CannotOpen):
        error.calls = 0
    return error


def _ask(account: _Account, claim: Claim) -> SetAsk:
    facebook_id = claim.facebook_id or 0
    limit = _requests_limit(account, claim)
    is_quiet = claim.state == intents.OPEN and not claim.uri_pending
    etag = _etag_for(claim.etag, limit) if is_quiet else None
    return SetAsk(facebook_id, requests_limit=limit, etag=etag)


def _requests_limit(account: _Account, claim: Claim) -> int | None:
    """How many requests to read with a set; None for none of them."""
    if account.account_id in account.tools.without_expansion or claim.state == intents.COLLECTED:
        return None
    is_worth_it = (
        _is_expected(claim)
        or claim.spec_count <= _EXPANDED_UNSEEN
        or account.known.is_past_usual(claim, now=account.tools.now())
    )
    return account.known.page_limit or MAX_PAGE_LIMIT if is_worth_it else None


def _written_etag(etag: str | None, limit: int | None) -> str | None:
    """An ETag with what was asked for: another question has another answer."""
    return None if etag is None else f"{limit or 0} {etag}"


def _etag_for(written: str | None, limit: int | None) -> str | None:
    asked, _, etag = (written or "").partition(" ")
    return etag if etag and asked == str(limit or 0) else None


def _read(
    account: _Account, claims: Sequence[Claim], asks: Sequence[SetAsk]
) -> Answered[list[Opened[SetShown]]]:
    """Read sets, and read them without their requests where Facebook does not expand those."""
    tools = account.tools
    credential = credential_of(tools, account.account_id)
    purpose = Purpose.COLLECT if _is_expected(claims[0]) else Purpose.POLL
    cost = len(asks) * READ_POINTS
    reserve(tools, account.account_id, cost=cost, purpose=purpose)
    try:
        answered = graph_looks.look(tools.client, credential, asks)
    except GraphError as error:
        _ask_for_less(account, [error])
        if not _is_expansion_refused(error) or asks[0].requests_limit is None:
            raise
        tools.without_expansion.add(account.account_id)
        reserve(tools, account.account_id, cost=cost, purpose=purpose)
        answered = graph_looks.look(tools.client, credential, [SetAsk(a.set_id) for a in asks])
    note_usage(tools, account.account_id, answered.usage)
    _ask_for_less(account, [one for one in answered.value if isinstance(one, GraphError)])
    return answered


def _is_expansion_refused(error: GraphError) -> bool:
    """Tell whether a call was refused for what it asks, and not because there is no such set."""
    return error.code == _PARAMETER and error.subcode != _NO_SUCH_OBJECT


def _ask_for_less(account: _Account, errors: Sequence[GraphError]) -> None:
    """Halve the pages of an account whose answers are too much for Facebook."""
    if any(error.code == TOO_MUCH_DATA for error in errors):
        knowledge.halve_page(account.tools, account.account_id, known=account.known)


def _take(
    account: _Account,
    claim: Claim,
    ask: SetAsk,
    seen: Opened[SetShown],
    *,
    started_at: datetime,
    calls: int,
) -> Complete | None:
    """Write what was seen of one set, and let go of it unless it is to be collected now."""
    tools = account.tools
    if isinstance(seen, CallFailed):
        seen.calls = calls
        put_off(tools, claim, seen, kind="set", started_at=started_at)
        return None
    if isinstance(seen, Unchanged):
        attempt(
            tools,
            claim,
            kind="set",
            work=lambda: _write_unchanged(account, claim, started_at=started_at, calls=calls),
        )
        return None
    etag = _written_etag(seen.etag, ask.requests_limit)
    is_due = attempt(
        tools,
        claim,
        kind="set",
        work=lambda: write_shown(
            account.tools,
            claim,
            seen.value.reading,
            known=account.known,
            kind="set",
            started_at=started_at,
            calls=calls,
            etag=etag,
        ),
    )
    return Complete(claim, seen.value, read_at=started_at) if is_due else None


def _write_unchanged(account: _Account, claim: Claim, *, started_at: datetime, calls: int) -> None:
    tools, now = account.tools, account.tools.now()
    record = LookRecord(
        kind="set", started_at=started_at, ended_at=now, calls=calls, is_completed=False
    )
    with _counting(calls), tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
        looks.write_unchanged(session, claim, asked_at=started_at)
        _let_go(session, tools, claim, None, known=account.known, now=now)


def write_shown(
    tools: Tools,
    claim: Claim,
    reading: SetReading,
    *,
    known: Knowledge,
    kind: str,
    started_at: datetime,
    calls: int,
    etag: str | None = None,
) -> bool:
    """Write what a look showed; return whether the claim is kept to collect the requests.

    Raises LeaseLost, DatabaseAway.
    """
    _tell_uri_if_pending(tools, claim, reading)
    now = tools.now()
    completed_at = claim.completed_at or (now if reading.is_completed else None)
    with _counting(calls), tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        verdict = verdict_of(
            reading,
            is_notified=notifications.is_notified(session, claim.request_set_id),
            completed_at=completed_at,
            pace=tools.pace,
            now=now,
        )
        record = LookRecord(
            kind=kind,
            started_at=started_at,
            ended_at=now,
            calls=calls,
            is_completed=reading.is_completed,
            verdict=verdict,
        )
        looks.add_look(session, claim, record)
        looks.write_reading(
            session, claim, reading, verdict=verdict, asked_at=started_at, now=now, etag=etag
        )
        if reading.is_completed and claim.state != intents.COLLECTED:
            return True
        if claim.state == intents.COLLECTED:
            due = verdict_due(tools, verdict, completed_at=claim.completed_at)
            looks.finish(session, claim, look_at=due)
        else:
            _let_go(session, tools, claim, reading, known=known, now=now)
    return False


@contextmanager
def _counting(calls: int) -> Iterator[None]:
    """Let a lease that is lost know what the look had cost."""
    try:
        yield
    except LeaseLost as lost:
        lost.calls = calls
        raise


def _tell_uri_if_pending(tools: Tools, claim: Claim, reading: SetReading) -> None:
    """Tell Facebook our URI of a set if it does not know it; a complete one notifies nobody."""
    if claim.uri_pending and reading.notification_uri is None and not reading.is_completed:
        attempt_of_set = Attempt(claim.request_set_id, number=claim.attempt)
        credential = credential_of(tools, claim.account_id)
        tell_uri(tools, credential, attempt_of_set, facebook_id=reading.id)


def _let_go(
    session: Session,
    tools: Tools,
    claim: Claim,
    reading: SetReading | None,
    *,
    known: Knowledge,
    now: datetime,
) -> None:
    """Let go of a set at work. Counts that moved tell when it may be complete."""
    progressed = reading is not None and _counts(reading) != claim.counts
    by_progress = _by_progress(tools, claim, reading, now=now) if progressed else None
    look_at = by_progress or plan.next_look_at(
        tools.pace,
        quiet_looks=1 if progressed else claim.quiet_looks,
        loss_rate=known.experience.loss_rate,
        now=now,
        chance=tools.chance(),
    )
    looks.finish(session, claim, look_at=look_at, progressed=progressed)


def _by_progress(
    tools: Tools, claim: Claim, reading: SetReading | None, *, now: datetime
) -> datetime | None:
    if reading is None or claim.opened_at is None:
        return None
    done = (reading.success_count, reading.error_count, reading.canceled_count)
    return plan.look_by_progress(
        tools.pace,
        done=sum(count or 0 for count in done),
        total=reading.total_count or 0,
        since=claim.opened_at,
        now=now,
        chance=tools.chance(),
    )


def _counts(reading: SetReading) -> tuple[int | None, ...]:
    return (
        reading.initial_count,
        reading.in_progress_count,
        reading.success_count,
        reading.error_count,
        reading.canceled_count,
    )


def _sweep(account: _Account, claims: Sequence[Claim], page_budget: int) -> None:
    """Look for complete sets among some on the account's list, and let go of the others."""
    tools, started_at = account.tools, account.tools.now()
    try:
        swept = sweep(tools, claims, page_budget=page_budget)
    except (CallFailed, CannotOpen, NoPoints) as error:
        for claim in claims:
            put_off(tools, claim, error, kind="sweep", started_at=started_at)
            error = _without_cost(error)
        return
    with tools.database.writing() as session:
        experience.keep_sweep_pages(
            session, account.account_id, sweep_pages=account.known.after_sweep(swept.pages)
        )
    complete = []
    calls = swept.calls
    for claim in claims:
        reading = swept.found.get(claim.facebook_id or 0)
        found = _take_swept(account, claim, reading, started_at=started_at, calls=calls)
        calls = 0
        if found is not None:
            complete.append(found)
    for start in range(0, len(complete), BATCH_MOST):
        collect(tools, complete[start : start + BATCH_MOST], known=account.known)


def _take_swept(
    account: _Account,
    claim: Claim,
    reading: SetReading | None,
    *,
    started_at: datetime,
    calls: int,
) -> Complete | None:
    if reading is None:
        attempt(
            account.tools,
            claim,
            kind="sweep",
            work=lambda: _write_not_found(account, claim, started_at=started_at, calls=calls),
        )
        return None
    is_due = attempt(
        account.tools,
        claim,
        kind="sweep",
        work=lambda: write_shown(
            account.tools,
            claim,
            reading,
            known=account.known,
            kind="sweep",
            started_at=started_at,
            calls=calls,
        ),
    )
    return Complete(claim, SetShown(reading, None), read_at=started_at) if is_due else None


def _write_not_found(account: _Account, claim: Claim, *, started_at: datetime, calls: int) -> None:
    """Let go of a set that is not among the complete ones that the list shows."""
    tools, now = account.tools, account.tools.now()
    record = LookRecord(kind="sweep", started_at=started_at, ended_at=now, calls=calls)
    with _counting(calls), tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
        looks.write_unchanged(session, claim, asked_at=started_at)
        _let_go(session, tools, claim, None, known=account.known, now=now)
