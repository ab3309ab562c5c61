"""Find out what became of a submission whose outcome nobody wrote: unknown to open.

Presence decides at once: a set at Facebook whose ``notification_uri`` carries a token of ours, or
whose name ends with its tag, is the intent's set. Tokens are parsed out of what Facebook shows,
never recomputed, because host and signing key may have changed. Not finding a set proves nothing:
it stays unknown, is asked for again later, and nothing is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from receiver.crypto import Keys
from receiver.graph.client import Credential
from receiver.graph.errors import CallFailed
from receiver.graph.vocabulary import ALL_SETS_EDGE, BATCHES_EDGE
from receiver.graph.wire import SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools, credential_of
from receiver.store import intents, looks
from receiver.store.database import Session
from receiver.store.intents import Attempt, Opening
from receiver.store.looks import Claim, LeaseLost, LookRecord

log = structlog.get_logger(__name__)

_MAX_PAGES = 50
_PAGE_LIMIT = 500

NOT_FOUND = (
    "Sent, and Facebook has not shown the set yet: it is looked for again, never sent again."
)
ASK_A_PERSON = "Compare their ads at Facebook; it is never sent again."


def _cut_off(rows: int) -> str:
    return (
        f"Sent, and not among the first {rows} sets that Facebook shows of the account; it has "
        "more. It is looked for again, never sent again."
    )


@dataclass
class _Tally:
    """What one search has read so far; ``is_cut`` when the edge had more pages than are read."""

    calls: int = 0
    rows: int = 0
    is_cut: bool = False


def resolve(tools: Tools, claim: Claim) -> bool:
    """Look for a claimed intent's set on its account's edge, and let go of the claim.

    Returns whether it was found: the set is open then, and due at once.
    Raises CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    credential = credential_of(tools, claim.account_id)
    tally = _Tally()
    try:
        matches = _search(tools, claim, credential, tally)
    except (CallFailed, LeaseLost) as failure:
        # The pages before it were asked for too.
        failure.calls += tally.calls
        raise
    now = tools.now()
    record = LookRecord(
        kind="edge", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
    )
    with tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        looks.add_look(session, claim, record)
        if not matches:
            _go_on_searching(session, tools, claim, tally=tally, now=now)
            return False
        return _open(session, tools, claim, matches, now=now)


def _go_on_searching(
    session: Session, tools: Tools, claim: Claim, *, tally: _Tally, now: datetime
) -> None:
    intents.give_up_waiting(session, Attempt(claim.request_set_id, number=claim.attempt))
    look_at = next_search_at(tools, claim, now=now)
    reason = _cut_off(tally.rows) if tally.is_cut else NOT_FOUND
    looks.finish(session, claim, look_at=look_at, reason=reason)


def next_search_at(tools: Tools, claim: Claim, *, now: datetime) -> datetime | None:
    """When a claimed set without Facebook's id is looked for again."""
    return plan.next_search_at(
        tools.pace,
        is_rejected=claim.state == intents.REJECTED,
        quiet_looks=claim.quiet_looks,
        now=now,
        chance=tools.chance(),
    )


def _open(
    session: Session, tools: Tools, claim: Claim, matches: dict[int, Attempt], *, now: datetime
) -> bool:
    """Open the set under the one id that names it; several, or one that is taken, are stuck."""
    (facebook_id, attempt), *others = matches.items()
    look_at = plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )
    looks.finish(session, claim, look_at=look_at)
    if others:
        for one, its_attempt in matches.items():
            intents.keep_found(session, its_attempt, facebook_id=one, now=now)
        ids = ", ".join(str(one) for one in sorted(matches))
        reason = f"Facebook has {len(matches)} sets of this create: {ids}. {ASK_A_PERSON}"
    else:
        opening = intents.open_set(
            session, attempt, facebook_id=facebook_id, first_look_at=now, now=now
        )
        if opening is Opening.OPEN:
            return True
        reason = contradiction(opening, facebook_id)
    doubted = Attempt(claim.request_set_id, number=claim.attempt)
    intents.doubt_set(session, doubted, reason=reason, now=now)
    log.error("The evidence on a set contradicts itself", request_set_id=claim.request_set_id)
    return False


def contradiction(opening: Opening, facebook_id: int) -> str:
    """Say in words why an id that Facebook gave for a set cannot be its id."""
    if opening is Opening.TAKEN:
        return f"Facebook gave the id {facebook_id}, and another set has it. {ASK_A_PERSON}"
    return f"Facebook has a second set of this create, {facebook_id}. {ASK_A_PERSON}"


def _search(
    tools: Tools, claim: Claim, credential: Credential, tally: _Tally
) -> dict[int, Attempt]:
    """Return the sets that name the intent: all of the first page that shows one.

    Sets that were made at the same moment stand side by side, in whatever order.
    """
    for readings in _edge(tools, claim, credential, tally):
        named = {reading.id: named_attempt(tools.keys, reading) for reading in readings}
        matches = {
            facebook_id: attempt
            for facebook_id, attempt in named.items()
            if attempt is not None and attempt.request_set_id == claim.request_set_id
        }
        if matches:
            return matches
    return {}


def named_attempt(keys: Keys, reading: SetReading) -> Attempt | None:
    """Return the intent and attempt that a set at Facebook names; None for a set that is not ours.

    The token in its URI is signed, so it decides alone. The tag in its name counts only where
    Facebook shows no URI.
    """
    if reading.notification_uri is not None:
        token = keys.token_in_uri(reading.notification_uri)
        return None if token is None else Attempt(token.intent, number=token.attempt)
    tag = keys.parse_tag(reading.name or "")
    return None if tag is None else Attempt(tag.intent, number=tag.attempt)


def _listed_on(edge: str) -> str:
    """Return the edge that lists what is created on one: async batches have none of their own."""
    return ALL_SETS_EDGE if edge == BATCHES_EDGE else edge


def _edge(
    tools: Tools, claim: Claim, credential: Credential, tally: _Tally
) -> Iterator[list[SetReading]]:
    after: str | None = None
    for _ in range(_MAX_PAGES):
        answered = tools.client.read_account_sets(
            credential,
            claim.account_id,
            edge=_listed_on(claim.edge),
            after=after,
            limit=_PAGE_LIMIT,
        )
        tally.calls += answered.calls
        tally.rows += len(answered.value.sets)
        # A long edge outlasts a lease: without this, two workers would take turns and never end.
        with tools.database.writing() as session:
            looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
        yield answered.value.sets
        after = answered.value.after
        if after is None:
            return
    tally.is_cut = True
