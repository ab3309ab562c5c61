"""Find out what became of a submission whose outcome nobody wrote: unknown to open.

Presence decides at once: a set at Facebook whose ``notification_uri`` carries a token of ours, or
whose name ends with its tag, is the intent's set. Tokens are parsed out of what Facebook shows,
never recomputed, because host and signing key may have changed. Not finding a set proves nothing:
it stays unknown, is asked for again later, and nothing is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from receiver.crypto import Keys
from receiver.graph.client import Credential
from receiver.graph.wire import SetReading
from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools, credential_of
from receiver.store import intents, looks
from receiver.store.intents import Attempt
from receiver.store.looks import Claim, LookRecord

_MAX_PAGES = 50
_PAGE_LIMIT = 500

NOT_FOUND = (
    "Sent, and Facebook has not shown the set yet: it is looked for again, never sent again."
)


@dataclass
class _Tally:
    """What one search has read so far."""

    calls: int = 0
    rows: int = 0


def resolve(tools: Tools, claim: Claim) -> bool:
    """Look for a claimed intent's set on its account's edge, and let go of the claim.

    Returns whether it was found: the set is open then, and due at once.
    Raises CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    credential = credential_of(tools, claim.account_id)
    tally = _Tally()
    found = _search(tools, claim, credential, tally)
    now = tools.now()
    look_at = plan.next_look_at(
        tools.pace, quiet_looks=claim.quiet_looks, now=now, chance=tools.chance()
    )
    with tools.database.writing() as session:
        looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=now))
        record = LookRecord(
            kind="edge", started_at=started_at, ended_at=now, calls=tally.calls, rows=tally.rows
        )
        looks.add_look(session, claim, record)
        if found is None:
            intents.give_up_waiting(session, Attempt(claim.request_set_id, number=claim.attempt))
            looks.finish(session, claim, look_at=look_at, reason=NOT_FOUND)
            return False
        looks.finish(session, claim, look_at=look_at)
        attempt, facebook_id = found
        return intents.open_set(
            session, attempt, facebook_id=facebook_id, first_look_at=now, now=now
        )


def _search(
    tools: Tools, claim: Claim, credential: Credential, tally: _Tally
) -> tuple[Attempt, int] | None:
    for reading in _edge(tools, claim, credential, tally):
        attempt = named_attempt(tools.keys, reading)
        if attempt is not None and attempt.request_set_id == claim.request_set_id:
            return attempt, reading.id
    return None


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


def _edge(
    tools: Tools, claim: Claim, credential: Credential, tally: _Tally
) -> Iterator[SetReading]:
    after: str | None = None
    for _ in range(_MAX_PAGES):
        answered = tools.client.read_account_sets(
            credential, claim.account_id, after=after, limit=_PAGE_LIMIT
        )
        tally.calls += answered.calls
        tally.rows += len(answered.value.sets)
        # A long edge outlasts a lease: without this, two workers would take turns and never end.
        with tools.database.writing() as session:
            looks.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
        yield from answered.value.sets
        after = answered.value.after
        if after is None:
            return
