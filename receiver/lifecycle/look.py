"""Read the truth about an account's sets at Facebook: whatever is complete is collected.

A look is made for all of an account's sets that are due, in the way that costs the fewest points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Opened, Unchanged
from receiver.graph.client import Answered
from receiver.graph.errors import TOO_MUCH_DATA, CallFailed, GraphError
from receiver.graph.looks import BATCH_MOST, SetAsk
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import SetReading, SetShown
from receiver.lifecycle import knowledge, plan, seen
from receiver.lifecycle.collect import Complete, collect
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.look_plan import as_due, is_expected, plan_looks, reads_requests
from receiver.lifecycle.put_off import attempt, put_all_off, put_off
from receiver.lifecycle.seen import Look
from receiver.lifecycle.shared_lease import SharedLease
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.sweep import sweep
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import claims, experience, intents
from receiver.store.claims import Claim

_BESIDE_MOST = 1000

_PARAMETER = 100
_NO_SUCH_OBJECT = 33


@dataclass(frozen=True)
class _Account:
    """What one look at an account works with."""

    tools: Tools
    account_id: int
    known: Knowledge
    lease: SharedLease

    def look(self, claim: Claim, *, kind: str, started_at: datetime, calls: int) -> Look:
        return Look(claim, kind, started_at, calls=calls, learned=self.known.experience)


def look(tools: Tools, claim: Claim, *, is_alone: bool = False) -> None:
    """Look at a claimed set, and at those of its account that are due as well; let go of all.

    What is complete is collected. What goes wrong with one puts that one off. Raises DatabaseAway.
    """
    known = knowledge.of_account(tools, claim.account_id)
    account = _Account(
        tools, claim.account_id, known, SharedLease(tools, claim, held_at=tools.now())
    )
    claims = {claim.request_set_id: claim}
    if not is_alone:
        claims |= {one.request_set_id: one for one in _claim_beside(tools, claim)}
    planned = plan_looks([as_due(one) for one in claims.values()], sweep_pages=known.sweep_pages)
    direct = [claims[number] for number in planned.direct]
    # Each call is made for one purpose: what is expected to be complete may spend more.
    for chosen in (
        [one for one in direct if is_expected(one)],
        [one for one in direct if not is_expected(one)],
    ):
        for part in _parts(chosen):
            _look_at(account, part)
    if planned.swept:
        _sweep(account, [claims[number] for number in planned.swept], planned.page_budget)


def _claim_beside(tools: Tools, claim: Claim) -> list[Claim]:
    now, chance = tools.now(), tools.chance()
    soon = timedelta(seconds=tools.pace.look_interval_min_seconds / 2)
    with tools.database.writing() as session:
        return claims.claim_beside(
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


def _parts(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    for start in range(0, len(claims), BATCH_MOST):
        yield claims[start : start + BATCH_MOST]


def _look_at(account: _Account, claims: Sequence[Claim]) -> None:
    """Read some sets by themselves, in one call."""
    account.lease.keep()
    tools, started_at = account.tools, account.tools.now()
    asks = [_ask(account, claim) for claim in claims]
    try:
        answered = _read(account, claims, asks)
    except (CallFailed, CannotOpen, NoPoints) as error:
        put_all_off(tools, claims, error, kind="set", started_at=started_at)
        return
    complete: list[Complete] = []
    calls = answered.calls
    for claim, ask, shown in zip(claims, asks, answered.value, strict=True):
        one = account.look(claim, kind="set", started_at=started_at, calls=calls)
        calls = 0
        complete += _take(account, one, ask, shown)
    collect(tools, complete, known=account.known, lease=account.lease)


def _ask(account: _Account, claim: Claim) -> SetAsk:
    limit = _requests_limit(account, claim)
    is_quiet = claim.state == intents.OPEN and not claim.uri_pending
    etag = _etag_for(claim.etag, limit) if is_quiet else None
    return SetAsk(claim.facebook_id or 0, requests_limit=limit, etag=etag)


def _requests_limit(account: _Account, claim: Claim) -> int | None:
    """How many requests to read with a set; None for none of them."""
    if account.account_id in account.tools.without_expansion or claim.state == intents.COLLECTED:
        return None
    is_worth_it = reads_requests(
        is_expected=is_expected(claim),
        spec_count=claim.spec_count,
        is_past_usual=account.known.is_past_usual(claim, now=account.tools.now()),
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
    try:
        answered = _call(account, claims, asks)
    except GraphError as error:
        if not _learn(account, [(asks[0], error)]):
            raise
    else:
        if not _learn(account, list(zip(asks, answered.value, strict=True))):
            return answered
    return _call(account, claims, [SetAsk(one.set_id) for one in asks])


def _call(
    account: _Account, claims: Sequence[Claim], asks: Sequence[SetAsk]
) -> Answered[list[Opened[SetShown]]]:
    tools = account.tools
    credential = credential_of(tools, account.account_id)
    purpose = Purpose.COLLECT if is_expected(claims[0]) else Purpose.POLL
    reserve(tools, account.account_id, cost=len(asks) * READ_POINTS, purpose=purpose)
    answered = graph_looks.look(tools.client, credential, asks)
    note_usage(tools, account.account_id, answered.usage)
    return answered


def _learn(account: _Account, answers: Sequence[tuple[SetAsk, Opened[SetShown]]]) -> bool:
    """Learn what is too much to ask of Facebook; True where it does not expand requests at all."""
    tools = account.tools
    errors = [(ask, one) for ask, one in answers if isinstance(one, GraphError)]
    if any(error.code == TOO_MUCH_DATA for _, error in errors):
        knowledge.halve_page(tools, account.account_id, known=account.known)
    is_refused = any(_is_expansion_refused(ask, error) for ask, error in errors)
    if is_refused:
        tools.without_expansion.add(account.account_id)
    return is_refused


def _is_expansion_refused(ask: SetAsk, error: GraphError) -> bool:
    """Tell whether a read was refused for what it asks, and not because there is no such set."""
    is_parameter = error.code == _PARAMETER and error.subcode != _NO_SUCH_OBJECT
    return ask.requests_limit is not None and is_parameter


def _take(account: _Account, one: Look, ask: SetAsk, shown: Opened[SetShown]) -> Iterator[Complete]:
    """Write what was seen of one set; it comes back where it is to be collected now."""
    if isinstance(shown, CallFailed):
        shown.calls = one.calls
        put_off(account.tools, one.claim, shown, kind=one.kind, started_at=one.started_at)
    elif isinstance(shown, Unchanged):
        _take_nothing_new(account, one, is_completed=False)
    else:
        etag = _written_etag(shown.etag, ask.requests_limit)
        yield from _take_shown(account, one, shown.value, etag=etag)


def _take_shown(
    account: _Account, one: Look, shown: SetShown, *, etag: str | None = None
) -> Iterator[Complete]:
    write = partial(seen.write_reading, account.tools, one, shown.reading, etag=etag)
    if attempt(account.tools, one.claim, kind=one.kind, work=write):
        yield Complete(one.claim, shown, read_at=one.started_at)


def _take_nothing_new(account: _Account, one: Look, *, is_completed: bool | None) -> None:
    write = partial(seen.write_nothing_new, account.tools, one, is_completed=is_completed)
    attempt(account.tools, one.claim, kind=one.kind, work=write)


def _sweep(account: _Account, claims: Sequence[Claim], page_budget: int) -> None:
    """Look for complete sets among some on the account's list, and let go of the others."""
    tools, started_at = account.tools, account.tools.now()
    try:
        swept = sweep(tools, claims, page_budget=page_budget)
    except (CallFailed, CannotOpen, NoPoints) as error:
        put_all_off(tools, claims, error, kind="sweep", started_at=started_at)
        return
    with tools.database.writing() as session:
        experience.keep_sweep_pages(
            session, account.account_id, sweep_pages=account.known.after_sweep(swept.pages)
        )
    complete: list[Complete] = []
    calls = swept.calls
    for claim in claims:
        one = account.look(claim, kind="sweep", started_at=started_at, calls=calls)
        calls = 0
        complete += _take_swept(account, one, swept.found.get(claim.facebook_id or 0))
    for start in range(0, len(complete), BATCH_MOST):
        part = complete[start : start + BATCH_MOST]
        collect(tools, part, known=account.known, lease=account.lease)


def _take_swept(account: _Account, one: Look, reading: SetReading | None) -> Iterator[Complete]:
    if reading is None:
        _take_nothing_new(account, one, is_completed=None)
    else:
        yield from _take_shown(account, one, SetShown(reading, None))
