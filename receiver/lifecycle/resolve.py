"""Find out what became of submissions whose outcome nobody wrote: open, or to be sent again.

One search reads an account's edge for all of its open questions. What is present decides at once,
page by page; what is absent is judged when the last page was read (``evidence``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from receiver.graph import wire
from receiver.graph.client import Answered, Credential
from receiver.graph.errors import CallFailed, GraphError
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import AD_SETS_EDGE, BATCHES_EDGE, CREATIVES_EDGE
from receiver.graph.wire import SetsPage
from receiver.lifecycle import evidence, listing, plan
from receiver.lifecycle.evidence import Absent, Contradicted, Finding, Found, NotYet, Sweep, Wanted
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.tools import Tools, credential_that_sent
from receiver.store import claims, intents, looks, repeats, searches
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session
from receiver.store.intents import Attempt, Opening
from receiver.store.looks import LookRecord
from receiver.store.searches import Sent

log = structlog.get_logger(__name__)

_COMPANIONS_MOST = 200
_CANDIDATES_MOST = 3

ASK_A_PERSON = "Compare their ads at Facebook; it is never sent again."
BUDGET_SPENT = (
    "Facebook has not shown the set for days, and it could not be proved to be absent. Adopt the "
    "set's id or abandon the create: `receiver set adopt`, `receiver set abandon`."
)


@dataclass
class _Search:
    """One reading of an account's edge, and the claims that it is made for."""

    claim: Claim
    companions: list[Claim]
    open: dict[int, Claim]
    sent: dict[int, Sent]
    edges: tuple[str, ...]
    credential: Credential
    started_at: datetime
    calls: int = 0
    sweep: Sweep = field(default_factory=Sweep)


def resolve(tools: Tools, claim: Claim) -> None:
    """Look for a claimed intent's set, and for all others of its account that are due, and let go.

    Raises NoPoints, CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    if _is_where_it_says(tools, claim):
        return
    search = _begin(tools, claim)
    try:
        for answered in _read_pages(tools, search):
            named = search.sweep.add(tools.keys, answered.value.sets)
            search.calls += answered.calls
            _hold(tools, search)
            _open_present(tools, search, named)
            if not search.open:
                break
    except (CallFailed, LeaseLost, NoPoints) as failure:
        # The pages before it were asked for too.
        failure.calls += search.calls
        _let_companions_go(tools, search)
        raise
    _keep_looks(tools, search)
    _conclude(tools, search)


def _is_where_it_says(tools: Tools, claim: Claim) -> bool:
    """Read what a notification of the intent names, and open it where that is the intent's set.

    Nothing in a notification is believed: the set is read back, and has to carry our token.
    """
    if claim.hinted_at is None:
        return False
    with tools.database.reading() as session:
        sent = searches.newest(session, [claim.request_set_id])[claim.request_set_id]
        came = searches.notified(session, claim.request_set_id)
    named = [one for body, query in came for one in wire.read_notified_ids(body, query)]
    credential = credential_that_sent(tools, sent.credential_id, account_id=claim.account_id)
    return any(
        _is_it(tools, claim, credential, facebook_id)
        for facebook_id in list(dict.fromkeys(named))[:_CANDIDATES_MOST]
    )


def _is_it(tools: Tools, claim: Claim, credential: Credential, facebook_id: int) -> bool:
    started_at = tools.now()
    reserve(tools, claim.account_id, cost=READ_POINTS, purpose=Purpose.COLLECT)
    try:
        answered = tools.client.read_set(credential, facebook_id)
    except GraphError as error:
        if not error.is_final:
            raise
        return False
    attempt = evidence.attempt_in_uri(tools.keys, answered.value)
    if attempt is None or attempt.request_set_id != claim.request_set_id:
        return False
    now = tools.now()
    record = LookRecord(kind="set", started_at=started_at, ended_at=now, calls=answered.calls)
    with tools.database.writing() as session:
        looks.add_look(session, claim, record)
        open_found(session, attempt, {facebook_id: attempt}, now=now)
    return True


def _begin(tools: Tools, claim: Claim) -> _Search:
    now, chance = tools.now(), tools.chance()
    edges = edges_listed_with(claim.edge)
    with tools.database.writing() as session:
        sent = searches.newest(session, [claim.request_set_id])
        companions = searches.claim_companions(
            session,
            claim,
            edges=edges,
            credential_id=sent[claim.request_set_id].credential_id,
            next_look_at=lambda quiet_looks: plan.next_look_at(
                tools.pace, quiet_looks=quiet_looks, now=now, chance=chance
            ),
            lease_until=plan.lease_until(tools.pace, now=now),
            now=now,
            most=_COMPANIONS_MOST,
        )
        sent |= searches.newest(session, [each.request_set_id for each in companions])
    return _Search(
        claim=claim,
        companions=companions,
        open={each.request_set_id: each for each in (claim, *companions)},
        sent=sent,
        edges=edges,
        credential=credential_that_sent(
            tools, sent[claim.request_set_id].credential_id, account_id=claim.account_id
        ),
        started_at=now,
    )


def edges_listed_with(edge: str) -> tuple[str, ...]:
    """Return the create edges whose sets stand on the same list as those of one."""
    return (edge,) if edge in (AD_SETS_EDGE, CREATIVES_EDGE) else (BATCHES_EDGE,)


def _read_pages(tools: Tools, search: _Search) -> Iterator[Answered[SetsPage]]:
    return listing.pages(
        tools,
        search.credential,
        search.claim.account_id,
        edge=search.claim.edge,
        into=search.sweep,
    )


def _hold(tools: Tools, search: _Search) -> None:
    """A long edge outlasts a lease: without this, two workers would take turns and never end."""
    lease_until = plan.lease_until(tools.pace, now=tools.now())
    with tools.database.writing() as session:
        claims.hold(session, search.claim, lease_until=lease_until)
        searches.hold_all(session, search.claim, lease_until=lease_until)


def _open_present(tools: Tools, search: _Search, named: set[int]) -> None:
    """Open every intent without an id whose token a page shows, claimed or not."""
    if not named:
        return
    with tools.database.reading() as session:
        unopened = searches.unopened(session, named)
    for current in unopened:
        sets = search.sweep.by_token[current.request_set_id]
        with tools.database.writing() as session:
            open_found(session, current, sets, now=tools.now())
        search.open.pop(current.request_set_id, None)


def open_found(
    session: Session, current: Attempt, sets: dict[int, Attempt], *, now: datetime
) -> None:
    """Keep the sets that name an intent, and open it under the one that there is.

    Without an id it is stuck where there are several, or where another intent holds the id.
    """
    (facebook_id, attempt), *others = sets.items()
    if others:
        for one, its_attempt in sets.items():
            intents.keep_found(session, its_attempt, facebook_id=one, now=now)
        ids = ", ".join(str(one) for one in sorted(sets))
        reason = f"Facebook has {len(sets)} sets of this create: {ids}. {ASK_A_PERSON}"
    else:
        opening = intents.open_set(
            session, attempt, facebook_id=facebook_id, first_look_at=now, now=now
        )
        if opening is Opening.OPEN:
            return
        reason = contradiction(opening, facebook_id)
    _doubt(session, current, reason=reason, now=now)


def _doubt(session: Session, attempt: Attempt, *, reason: str, now: datetime) -> None:
    intents.doubt_set(session, attempt, reason=reason, look_at=plan.stuck_look_at(now), now=now)
    log.error("A person has to look at a set", request_set_id=attempt.request_set_id, reason=reason)


def contradiction(opening: Opening, facebook_id: int) -> str:
    """Say in words why an id that Facebook gave for a set cannot be its id."""
    if opening is Opening.TAKEN:
        return f"Facebook gave the id {facebook_id}, and another set has it. {ASK_A_PERSON}"
    return f"Facebook has a second set of this create, {facebook_id}. {ASK_A_PERSON}"


def _let_companions_go(tools: Tools, search: _Search) -> None:
    """Let go of what was claimed beside the set that the search failed for."""
    now = tools.now()
    for claim in search.companions:
        if claim.request_set_id in search.open:
            with suppress(LeaseLost), tools.database.writing() as session:
                look_at = next_search_at(tools, claim, now=now)
                looks.finish(session, claim, look_at=look_at, reason=claim.state_reason)


def _keep_looks(tools: Tools, search: _Search) -> None:
    record = LookRecord(
        kind="edge",
        started_at=search.started_at,
        ended_at=tools.now(),
        calls=search.calls,
        rows=search.sweep.rows,
    )
    with tools.database.writing() as session:
        looks.add_look(session, search.claim, record)
        for each in search.companions:
            # What the reading cost counts once.
            looks.add_look(session, each, replace(record, calls=0))


def _conclude(tools: Tools, search: _Search) -> None:
    """Judge what no token on the edge named, now that all of it was read."""
    if not search.open:
        return
    _begin_to_settle(tools, search)
    wanted = _wanted(tools, search)
    for claim in search.open.values():
        finding = evidence.judge(
            search.sweep,
            wanted[claim.request_set_id],
            settle_seconds=tools.pace.settle_seconds,
            needs_witness=tools.pace.needs_witness,
        )
        try:
            with tools.database.writing() as session:
                claims.hold(
                    session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now())
                )
                _write(session, tools, claim, finding)
        except LeaseLost:
            log.warning("A lease ran out during a search", request_set_id=claim.request_set_id)


def _begin_to_settle(tools: Tools, search: _Search) -> None:
    """Note Facebook's time of the first search that began after a sender was gone."""
    if search.sweep.date is None:
        return
    gone = [
        sent.id
        for sent in search.sent.values()
        if sent.settles_from is None
        and plan.is_sender_gone(tools.pace, send_before=sent.send_before, now=search.started_at)
    ]
    if gone:
        with tools.database.writing() as session:
            searches.settle_from(session, gone, date=search.sweep.date)


def _wanted(tools: Tools, search: _Search) -> dict[int, Wanted]:
    with tools.database.reading() as session:
        came = searches.are_notified(session, search.open.keys())
        newest = searches.newest_of_account(session, search.claim.account_id, edges=search.edges)
    wanted = {}
    for claim in search.open.values():
        sent = search.sent[claim.request_set_id]
        wanted[claim.request_set_id] = Wanted(
            attempt=sent.attempt,
            spec_count=claim.spec_count,
            written_at=sent.written_at,
            settles_from=sent.settles_from,
            is_notified=claim.request_set_id in came,
            later=frozenset(each.attempt for each in newest if each.is_later_than(sent)),
            has_uri=claim.edge != BATCHES_EDGE,
        )
    return wanted


def _write(session: Session, tools: Tools, claim: Claim, finding: Finding) -> None:
    now = tools.now()
    attempt = Attempt(claim.request_set_id, number=claim.attempt)
    match finding:
        case Found(sets):
            open_found(session, attempt, sets, now=now)
        case Contradicted(reason):
            _doubt(session, attempt, reason=f"{reason} {ASK_A_PERSON}", now=now)
        case Absent() if claim.state in intents.UNOPENED:
            repeats.mark_absent(session, claim, now=now)
            log.warning("Facebook has nothing of a create", request_set_id=claim.request_set_id)
        case Absent():
            _go_on(session, tools, claim, reason=None, now=now)
        case NotYet(reason):
            _go_on(session, tools, claim, reason=reason, now=now)


def _go_on(
    session: Session, tools: Tools, claim: Claim, *, reason: str | None, now: datetime
) -> None:
    attempt = Attempt(claim.request_set_id, number=claim.attempt)
    intents.give_up_waiting(session, attempt)
    look_at = next_search_at(tools, claim, now=now)
    looks.finish(session, claim, look_at=look_at, reason=reason)
    if claim.state in intents.UNOPENED and plan.is_budget_spent(claim.created_at, now=now):
        _doubt(session, attempt, reason=BUDGET_SPENT, now=now)


def next_search_at(tools: Tools, claim: Claim, *, now: datetime) -> datetime | None:
    """When a claimed set without Facebook's id is looked for again."""
    if claim.state == intents.STUCK:
        return plan.stuck_look_at(now)
    return plan.next_search_at(
        tools.pace,
        is_rejected=claim.state == intents.REJECTED,
        quiet_looks=claim.quiet_looks,
        now=now,
        chance=tools.chance(),
    )
