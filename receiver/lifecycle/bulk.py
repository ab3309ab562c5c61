"""An action on many sets: planned, confirmed by a person, and done one set at a time."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle import plan
from receiver.lifecycle.actions.catalog import ACTIONS, Action
from receiver.lifecycle.actions.outcome import Refused
from receiver.lifecycle.actions.perform import perform
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.store import action_plans, audit, points, reports
from receiver.store.action_plans import ItemClaim, NewPlan
from receiver.store.audit import Actor
from receiver.store.lists import paging, request_sets
from receiver.store.lists.request_sets import SetFilter

PLANNED_MOST = 10_000
_PAGE = 500
_LASTS = timedelta(minutes=15)
_SECONDS_A_CALL = 0.5
_WINDOW_SECONDS = 300
_TRIED_AGAIN_AFTER = timedelta(seconds=30)
_TRIES_MOST = 5


@dataclass(frozen=True)
class Planned:
    """What an action would touch. ``skipped`` sets meet the filters and cannot be acted on.

    ``is_cut`` tells that more sets than PLANNED_MOST meet the filters. ``seconds`` is about how
    long it takes at Facebook's pace.
    """

    plan_id: str
    action: Action
    sets: int
    skipped: int
    by_account: dict[int, int]
    points: int
    seconds: float
    is_cut: bool
    expires_at: datetime


def make(tools: Tools, action: str, wanted: SetFilter, *, detail: str, by: Actor) -> Planned:
    """Choose the sets, and keep the plan until it is confirmed or out of date.

    ``detail`` says the filters in words. Raises DatabaseAway.
    """
    chosen, is_cut, skipped = _choose(tools, ACTIONS[action], wanted)
    now = tools.now()
    new = NewPlan(
        secrets.token_urlsafe(12),
        action=action,
        detail=detail,
        sets=[(row["id"], row["account_id"]) for row in chosen],
    )
    with tools.database.writing() as session:
        action_plans.add(session, new, by=by, expires_at=now + _LASTS, now=now)
    costs = _costs(ACTIONS[action], chosen)
    return Planned(
        new.plan_id,
        action=ACTIONS[action],
        sets=len(chosen),
        skipped=skipped,
        by_account=dict(Counter(row["account_id"] for row in chosen)),
        points=sum(costs.values()),
        seconds=_seconds(tools, costs, sets=len(chosen)),
        is_cut=is_cut,
        expires_at=now + _LASTS,
    )


def _choose(
    tools: Tools, action: Action, wanted: SetFilter
) -> tuple[list[dict[str, Any]], bool, int]:
    """Return the sets to act on, whether there are more, and how many cannot be acted on."""
    chosen: list[dict[str, Any]] = []
    skipped = 0
    after = None
    listing = request_sets.listing(wanted)
    with tools.database.reading() as session:
        while True:
            page = paging.read_page(session, listing, after=after, limit=_PAGE)
            fitting = [row for row in page.rows if _fits(action, row)]
            chosen += fitting
            skipped += len(page.rows) - len(fitting)
            after = page.next_key
            if after is None or len(chosen) >= PLANNED_MOST:
                break
    return chosen[:PLANNED_MOST], after is not None or len(chosen) > PLANNED_MOST, skipped


def _fits(action: Action, row: dict[str, Any]) -> bool:
    has_errors = bool(row["error_count"])
    return row["state"] in action.states and action.has_errors in (None, has_errors)


def _costs(action: Action, chosen: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Return the points that it costs each account."""
    costs: Counter[int] = Counter()
    for row in chosen:
        costs[row["account_id"]] += action.points(row["spec_count"])
    return dict(costs)


def _seconds(tools: Tools, costs: dict[int, int], *, sets: int) -> float:
    """Return about how long it takes: as long as the account that may spend the least."""
    share = tools.shares.of(Purpose.POLL) / 100
    waits = [0.0]
    with tools.database.reading() as session:
        for account_id, cost in costs.items():
            score = points.read(session, account_id).score
            free = max(0.0, score.limit * share - score.at(tools.now()))
            waits.append(max(0.0, cost - free) * _WINDOW_SECONDS / (score.limit * share))
    return round(max(*waits, sets * _SECONDS_A_CALL), 1)


class CannotConfirm(Exception):
    """The plan is not there, was confirmed before, or is out of date; the message says which."""


def confirm(tools: Tools, plan_id: str, *, by: Actor) -> None:
    """Let a plan be done. Raises CannotConfirm, DatabaseAway."""
    now = tools.now()
    with tools.database.writing() as session:
        found = action_plans.find(session, plan_id, by=by)
        if found is None:
            raise CannotConfirm("There is no such plan of yours.")
        if not action_plans.confirm(session, plan_id, now=now):
            raise CannotConfirm(
                "This plan was confirmed before."
                if found["confirmed_at"]
                else "This plan is out of date: make a new one."
            )


def claim_next(
    tools: Tools, *, passing_over: Collection[int] = frozenset(), plan_id: str | None = None
) -> ItemClaim | None:
    """Claim a set that a confirmed plan, or this one, waits to act on. Raises DatabaseAway."""
    now = tools.now()
    with tools.database.reading() as session:
        if not action_plans.is_any_due(
            session, now=now, passing_over=passing_over, plan_id=plan_id
        ):
            return None
    with tools.database.writing() as session:
        return action_plans.claim_due(
            session,
            now=now,
            lease_until=plan.lease_until(tools.pace, now=now),
            passing_over=passing_over,
            plan_id=plan_id,
        )


def act(tools: Tools, claim: ItemClaim) -> None:
    """Act on one set of a plan; what cannot be done now is tried again. Raises DatabaseAway."""
    with tools.database.reading() as session:
        row = reports.find_row(session, claim.request_set_id)
    if row is None:
        _finish(tools, claim, outcome=audit.REFUSED, note="The set is not there any more.")
        return
    try:
        done = perform(tools, row, claim.action, by=_of_plan(claim))
    except Refused as error:
        _finish(tools, claim, outcome=audit.REFUSED, note=str(error))
    except NoPoints as error:
        _postpone(tools, claim, due_at=error.resume_at, note=str(error))
    except (CallFailed, CannotOpen) as error:
        if claim.tries >= _TRIES_MOST:
            _finish(tools, claim, outcome=audit.FAILED, note=str(error))
        else:
            _postpone(tools, claim, due_at=tools.now() + _TRIED_AGAIN_AFTER, note=str(error))
    else:
        _finish(tools, claim, outcome=audit.DONE, note=done.note)


def _of_plan(claim: ItemClaim) -> Actor:
    return replace(claim.actor, name=f"{claim.actor.name}, plan {claim.plan_id}")


def _finish(tools: Tools, claim: ItemClaim, *, outcome: str, note: str) -> None:
    with tools.database.writing() as session:
        action_plans.finish(session, claim, outcome=outcome, note=note, now=tools.now())


def _postpone(tools: Tools, claim: ItemClaim, *, due_at: datetime, note: str) -> None:
    with tools.database.writing() as session:
        action_plans.postpone(session, claim, due_at=due_at, note=note)
