"""One unit of the lifecycle's work: claim the set that is due, and do what its state asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from receiver.lifecycle import plan
from receiver.lifecycle.letting_go import let_go, letting_go
from receiver.lifecycle.look import look
from receiver.lifecycle.put_off import attempt
from receiver.lifecycle.resolve import resolve
from receiver.lifecycle.submit import submit_again
from receiver.lifecycle.tools import Tools
from receiver.store import claims, due, notifications
from receiver.store.claims import Claim

_BESIDE_MOST = 1000
_ACCOUNTS_TRIED = 20
"""Of how many accounts a worker tries to claim a set before it looks for others."""


def apply_hints(tools: Tools) -> bool:
    """Apply what notifications hint at. Returns whether there was anything. Raises DatabaseAway."""
    with tools.database.reading() as session:
        if not notifications.has_unapplied(session):
            return False
    with tools.database.writing() as session:
        applied = notifications.apply_hints(session, now=tools.now())
    for account_id in applied.account_ids:
        tools.wake(account_id)
    return applied.notifications > 0


def advance(tools: Tools, *, account_id: int | None = None) -> bool:
    """Do what the set that has been due for longest asks for, of any account or of one.

    Returns whether one was due. Raises DatabaseAway.
    """
    claim = claim_next(tools, account_id=account_id)
    if claim is not None:
        work_on(tools, claim)
    return claim is not None


def claim_next(
    tools: Tools,
    *,
    account_id: int | None = None,
    passing_over: Collection[int] = frozenset(),
    due_for: timedelta = timedelta(0),
) -> Claim | None:
    """Claim the set that has been due for longest, of any account or of one.

    It is none of the accounts in ``passing_over``, and has been due for at least ``due_for``. What
    else of its account is due, and is asked about in the same calls, is claimed beside it: in the
    same transaction, so that no other thread begins with a part of it. Raises DatabaseAway.
    """
    passed = set(passing_over)
    while account_ids := _with_due(
        tools, account_id=account_id, passing_over=passed, due_for=due_for
    ):
        claim = _claim(tools, account_ids, due_for=due_for)
        if claim is not None:
            return claim
        # Others have in hand, at this moment, all that is due of these.
        passed.update(account_ids)
    return None


def _with_due(
    tools: Tools, *, account_id: int | None, passing_over: Collection[int], due_for: timedelta
) -> list[int]:
    """Return accounts with a set to claim, that of the set that has been due for longest first.

    It is asked without the lock to write, which nobody who looks must keep from notifications.
    """
    now = tools.now() - due_for
    with tools.database.reading() as session:
        if account_id is None:
            return due.first_accounts(
                session, now=now, most=_ACCOUNTS_TRIED, passing_over=passing_over
            )
        is_due = account_id not in passing_over and due.has_any(session, account_id, now=now)
        return [account_id] if is_due else []


def _claim(tools: Tools, account_ids: Sequence[int], *, due_for: timedelta) -> Claim | None:
    """Claim the set of these accounts that has been due for longest, and what is read with it."""
    now, chance = tools.now(), tools.chance()
    until: dict[str, Any] = {
        "lease_until": plan.lease_until(tools.pace, now=now),
        "next_look_at": lambda quiet_looks: plan.next_look_at(
            tools.pace, quiet_looks=quiet_looks, now=now, chance=chance
        ),
    }
    with tools.database.writing() as session:
        claim = claims.claim_due(session, account_ids, now=now - due_for, **until)
        if claim is None or claim.facebook_id is None or claim.may_be_sent_again:
            return claim
        # What is due in a moment is read with the rest: one page shows them all.
        soon = now + timedelta(seconds=tools.pace.look_interval_min_seconds / 2)
        beside = claims.claim_beside(
            session, claim, now=now, due_before=soon, most=_BESIDE_MOST, **until
        )
    return replace(claim, beside=tuple(beside))


def work_on(tools: Tools, claim: Claim) -> None:
    """Do what a claimed set asks for, and those beside it.

    Whatever goes wrong with one set only puts that set off: it was made due later before anything
    was tried. Where the step breaks off, all that it holds is due again in a moment. Raises
    DatabaseAway.
    """
    kind = _asked_for(claim)
    with letting_go(tools, claim):
        is_done = attempt(tools, claim, kind=kind, work=lambda: _do(tools, claim, kind=kind))
    if not is_done:
        # The set itself is put off; others may still be held beside it.
        let_go(tools, claim)


def _asked_for(claim: Claim) -> str:
    """Return the kind of step that a claimed set asks for."""
    if claim.may_be_sent_again:
        return "create"
    return "edge" if claim.facebook_id is None else "set"


def _do(tools: Tools, claim: Claim, *, kind: str) -> bool:
    """Do a step of that kind; True, unless it raises."""
    match kind:
        case "create":
            submit_again(tools, claim)
        case "edge":
            resolve(tools, claim)
        case _:
            look(tools, claim)
    return True
