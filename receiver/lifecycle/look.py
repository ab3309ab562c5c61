"""Read the truth about an account's sets at Facebook: whatever is complete is collected.

A look is made for all of an account's sets that are due, in the way that costs the fewest points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Opened, Unchanged
from receiver.graph.client import Answered
from receiver.graph.errors import (
    AnswerTooLong,
    CallFailed,
    GraphError,
    is_too_much_data,
    may_be_its_size,
)
from receiver.graph.looks import BATCH_MOST, SetAsk
from receiver.graph.score import READ_POINTS
from receiver.graph.wire import SetShown
from receiver.lifecycle import knowledge, seen
from receiver.lifecycle.collect import Complete, collect
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.look_plan import (
    ALONE_MOST,
    as_due,
    is_alone,
    is_expected,
    plan_looks,
    reads_requests,
)
from receiver.lifecycle.pages import are_failures_their_own, first_call
from receiver.lifecycle.put_off import attempt, put_all_off, put_off
from receiver.lifecycle.seen import Look, Seen
from receiver.lifecycle.shared_lease import SharedLease
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.sweep import sweep
from receiver.lifecycle.together import write_together
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import experience, intents
from receiver.store.claims import Claim

_PARAMETER = 100
_NO_SUCH_OBJECT = 33


@dataclass(frozen=True)
class _Account:
    """What one look at an account works with."""

    tools: Tools
    account_id: int
    known: Knowledge
    lease: SharedLease


def look(tools: Tools, claim: Claim) -> None:
    """Look at a claimed set, and at those that were claimed beside it; let go of all.

    What is complete is collected. What goes wrong with one puts that one off. Raises DatabaseAway.
    """
    known = knowledge.of_account(tools, claim.account_id)
    account = _Account(
        tools, claim.account_id, known, SharedLease(tools, claim, held_at=tools.now())
    )
    claims = {one.request_set_id: one for one in (claim, *claim.beside)}
    planned = plan_looks([as_due(one) for one in claims.values()], sweep_pages=known.sweep_pages)
    for chosen in _companies([claims[number] for number in planned.direct]):
        _look_at_all(account, chosen)
    if planned.swept:
        _sweep(account, [claims[number] for number in planned.swept], planned.page_budget)


def _companies(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Yield sets that may be read in one call, which is made for one purpose.

    A set that failed is read alone now and then: one beside it may be what breaks each call.
    """
    alone = [one for one in claims if is_alone(one)][:ALONE_MOST]
    together = [one for one in claims if one not in alone]
    expected = [one for one in together if is_expected(one)]
    yield from filter(None, (expected, [one for one in together if not is_expected(one)]))
    yield from ([one] for one in alone)


def _look_at_all(account: _Account, claims: Sequence[Claim]) -> None:
    """Read some sets call by call: each may teach what the next is not to ask for."""
    rows = partial(_rows_asked, account)
    while claims:
        part = first_call(
            account.tools,
            account.account_id,
            claims,
            rows=rows,
            purpose=_purpose(claims),
            points_each=_points_each(account, claims),
            known=account.known,
        )
        _look_at(account, part)
        claims = claims[len(part) :]


def _points_each(account: _Account, claims: Sequence[Claim]) -> int:
    """Without expansion, what turns out to be complete costs a page of its requests besides."""
    is_expanded = account.account_id not in account.tools.without_expansion
    is_all = is_expanded and not any(map(_is_read_in_parts, claims))
    return READ_POINTS if is_all else 2 * READ_POINTS


def _purpose(claims: Sequence[Claim]) -> Purpose:
    """What is expected to be complete may spend more."""
    return Purpose.COLLECT if is_expected(claims[0]) else Purpose.POLL


def _is_read_in_parts(claim: Claim) -> bool:
    """Tell whether a set's requests come only a few at a time, or some of them came already."""
    return claim.page_after is not None or claim.page_limit is not None


def _rows_asked(account: _Account, claim: Claim) -> int:
    return min(claim.spec_count, _requests_limit(account, claim) or 0)


def _look_at(account: _Account, claims: Sequence[Claim]) -> None:
    """Read some sets by themselves, in one call."""
    tools, started_at = account.tools, account.tools.now()
    asks = [_ask(account, claim) for claim in claims]
    try:
        answered = _read(account, claims, asks)
    except (CallFailed, CannotOpen, NoPoints) as error:
        put_all_off(tools, claims, error, kind="set", started_at=started_at)
        return
    looks = _looks(account, claims, kind="set", started_at=started_at, calls=answered.calls)
    shown: list[Seen] = []
    unchanged: list[Look] = []
    for one, ask, opened in zip(looks, asks, answered.value, strict=True):
        if isinstance(opened, CallFailed):
            opened.calls = one.calls
            put_off(tools, one.claim, opened, kind=one.kind, started_at=started_at)
        elif isinstance(opened, Unchanged):
            unchanged.append(one)
        else:
            etag = _written_etag(opened.etag, ask.requests_limit)
            shown.append(Seen(one, opened.value, etag=etag))
    _write_nothing_new(account, unchanged, is_completed=False)
    _write_seen(account, shown)


def _looks(
    account: _Account, claims: Sequence[Claim], *, kind: str, started_at: datetime, calls: int
) -> list[Look]:
    """Return each set's share of the calls that read them: the first one's is all of them."""
    learned = account.known.experience
    return [
        Look(claim, kind, started_at, calls=0 if number else calls, learned=learned)
        for number, claim in enumerate(claims)
    ]


def _ask(account: _Account, claim: Claim) -> SetAsk:
    limit = _requests_limit(account, claim)
    is_quiet = claim.state == intents.OPEN and not claim.uri_pending
    etag = _etag_for(claim.etag, limit) if is_quiet else None
    return SetAsk(claim.facebook_id or 0, requests_limit=limit, etag=etag)


def _requests_limit(account: _Account, claim: Claim) -> int | None:
    """How many requests to read with a set; None for none of them."""
    if account.account_id in account.tools.without_expansion or claim.state == intents.COLLECTED:
        return None
    if _is_read_in_parts(claim):
        return None
    is_worth_it = reads_requests(
        is_expected=is_expected(claim),
        spec_count=claim.spec_count,
        is_past_usual=account.known.is_past_usual(claim, now=account.tools.now()),
    )
    return account.known.rows_a_page if is_worth_it else None


def _written_etag(etag: str | None, limit: int | None) -> str | None:
    """An ETag with what was asked for: another question has another answer."""
    # A batch shows one as JSON, which may hold what no header can carry back.
    is_usable = etag is not None and etag.isascii() and etag.isprintable()
    return f"{limit or 0} {etag}" if is_usable else None


def _etag_for(written: str | None, limit: int | None) -> str | None:
    asked, _, etag = (written or "").partition(" ")
    return etag if etag and asked == str(limit or 0) else None


def _read(
    account: _Account, claims: Sequence[Claim], asks: Sequence[SetAsk]
) -> Answered[list[Opened[SetShown]]]:
    """Read sets, and once more without their requests where those are too much, or refused."""
    try:
        answered = _call(account, claims, asks)
    except CallFailed as error:
        if len(claims) > 1 and not isinstance(error, (GraphError, AnswerTooLong)):
            _learn(account, [(ask, error) for ask in asks])
            raise
        note_usage(account.tools, account.account_id, error.usage)
        answered = _failed(error, count=len(asks))
    of_much = _learn(account, list(zip(asks, answered.value, strict=True)))
    again = sorted({*of_much, *_of_heavy_sets(claims, asks, answered.value)})
    return _read_alone(account, claims, again, before=answered) if again else answered


def _read_alone(
    account: _Account,
    claims: Sequence[Claim],
    positions: Sequence[int],
    *,
    before: Answered[list[Opened[SetShown]]],
) -> Answered[list[Opened[SetShown]]]:
    """Read the sets at some positions without their requests; what was read before stands."""
    chosen = [claims[position] for position in positions]
    try:
        answered = _call(account, chosen, [SetAsk(one.facebook_id or 0) for one in chosen])
    except NoPoints:
        return before
    except CallFailed as error:
        answered = _failed(error, count=len(chosen))
    shown = dict(zip(positions, answered.value, strict=True))
    if any(_is_expansion_refused(before.value[place]) for place in _answered(shown)):
        account.tools.without_expansion.add(account.account_id)
    opened = {**dict(enumerate(before.value)), **shown}
    return replace(answered, value=list(opened.values()), calls=before.calls + answered.calls)


def _answered(shown: Mapping[int, object]) -> list[int]:
    return [place for place, one in shown.items() if not isinstance(one, Exception)]


def _failed(error: CallFailed, *, count: int) -> Answered[list[Opened[SetShown]]]:
    """Return the answer to a call that failed whole: each of its sets has the error."""
    return Answered([error] * count, error.usage, calls=error.calls)


def _call(
    account: _Account, claims: Sequence[Claim], asks: Sequence[SetAsk]
) -> Answered[list[Opened[SetShown]]]:
    account.lease.keep()
    tools = account.tools
    credential = credential_of(tools, account.account_id)
    cost = len(asks) * READ_POINTS
    reserve(tools, account.account_id, cost=cost, purpose=_purpose(claims))
    answered = graph_looks.look(tools.client, credential, asks)
    note_usage(tools, account.account_id, answered.usage)
    return answered


def _learn(account: _Account, answers: Sequence[tuple[SetAsk, Opened[SetShown]]]) -> list[int]:
    """Learn what is too much to ask of Facebook; return where the requests are to be left out."""
    tools = account.tools
    with_requests = {
        position: opened
        for position, (ask, opened) in enumerate(answers)
        if ask.requests_limit is not None
    }
    if not tools.call_sizes.learn(account.account_id, [opened for _, opened in answers]):
        of_pages = with_requests.values()
        knowledge.halve_page(tools, account.account_id, of_pages, known=account.known)
    return [
        place
        for place, one in with_requests.items()
        if _is_expansion_refused(one) or is_too_much_data(one)
    ]


def _of_heavy_sets(
    claims: Sequence[Claim],
    asks: Sequence[SetAsk],
    answers: Sequence[Opened[SetShown]],
) -> list[int]:
    """Return where else sets are to be read without their requests: it failed, and had before."""
    if not are_failures_their_own(answers):
        return []
    return [
        place
        for place, (claim, ask, answer) in enumerate(zip(claims, asks, answers, strict=True))
        if ask.requests_limit is not None
        and claim.state_reason is not None
        and may_be_its_size(answer)
    ]


def _is_expansion_refused(answer: object) -> bool:
    """Tell whether a read was refused for what it asks, and not because there is no such set."""
    return (
        isinstance(answer, GraphError)
        and answer.code == _PARAMETER
        and answer.subcode != _NO_SUCH_OBJECT
    )


def _write_seen(account: _Account, shown: Sequence[Seen]) -> None:
    """Write what was seen of some sets, and collect those that are complete."""
    tools = account.tools
    told = [one for one in shown if _tell_uri(tools, one)]
    complete = [
        Complete(one.claim, one.shown, read_at=one.started_at)
        for one in write_together(tools, told, partial(seen.write_readings, tools))
    ]
    collect(tools, complete, known=account.known, lease=account.lease)


def _tell_uri(tools: Tools, one: Seen) -> bool:
    """Tell Facebook a set's URI where that is pending; False where it failed and was put off."""
    work = partial(seen.tell_uri_if_pending, tools, one.claim, one.shown.reading)
    return not one.claim.uri_pending or bool(attempt(tools, one.claim, kind=one.kind, work=work))


def _write_nothing_new(
    account: _Account, made: Sequence[Look], *, is_completed: bool | None
) -> None:
    tools = account.tools
    write = partial(seen.write_nothing_new, tools, is_completed=is_completed)
    write_together(tools, made, write)


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
    found: list[Seen] = []
    others: list[Look] = []
    for one in _looks(account, claims, kind="sweep", started_at=started_at, calls=swept.calls):
        reading = swept.found.get(one.claim.facebook_id or 0)
        if reading is None:
            others.append(one)
        else:
            found.append(Seen(one, SetShown(reading, None)))
    for start in range(0, len(others), BATCH_MOST):
        _write_nothing_new(account, others[start : start + BATCH_MOST], is_completed=None)
    for start in range(0, len(found), BATCH_MOST):
        _write_seen(account, found[start : start + BATCH_MOST])
