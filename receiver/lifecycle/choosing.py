"""Choose the sets of an action on many, say what it takes, and keep that as a plan."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from receiver.lifecycle.actions.catalog import ACTIONS, Action
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.tools import Tools
from receiver.store import action_plans, points
from receiver.store.action_plans import NewPlan
from receiver.store.audit import Actor
from receiver.store.lists import paging, request_sets
from receiver.store.lists.paging import Key
from receiver.store.lists.request_sets import SetFilter

PLANNED_MOST = 10_000
_PAGE = 500
_PAGES_MOST = 100
"""Filters that no index serves may need a window of rows for each few sets that meet them."""
_LASTS = timedelta(minutes=15)
_SECONDS_A_CALL = 0.5
_WINDOW_SECONDS = 300


@dataclass(frozen=True)
class Planned:
    """What an action would touch: the sets that meet the filters and that it can be done to.

    ``seconds`` is about how long it takes at Facebook's pace. ``next_key`` is where to plan the
    rest from, where more sets may meet the filters than one plan takes. ``note`` says why nothing
    can be chosen by these filters; None where something can.
    """

    plan_id: str
    action: Action
    sets: int
    by_account: dict[int, int]
    points: int
    seconds: float
    next_key: Key | None
    note: str | None
    expires_at: datetime


@dataclass(frozen=True)
class _Choice:
    """The sets to act on, and the key behind which more may be; None where there are no more."""

    rows: Sequence[dict[str, Any]] = ()
    next_key: Key | None = None


def make(
    tools: Tools,
    action: str,
    wanted: SetFilter,
    *,
    detail: str,
    by: Actor,
    after: Key | None = None,
) -> Planned:
    """Choose the sets, newest first, and keep the plan until it is confirmed or out of date.

    ``detail`` says the filters in words; ``after`` is another plan's ``next_key``. Raises
    DatabaseAway.
    """
    meant = ACTIONS[action]
    fitting = narrowed(wanted, meant)
    choice = _Choice() if fitting is None else _choose(tools, fitting, meant, after=after)
    now = tools.now()
    new = NewPlan(
        secrets.token_urlsafe(12),
        action=action,
        detail=detail,
        public_url=tools.public_url if meant.points_here else None,
        sets=[(row["id"], row["account_id"]) for row in choice.rows],
    )
    with tools.database.writing() as session:
        action_plans.add(session, new, by=by, expires_at=now + _LASTS, now=now)
    costs = _costs(meant, choice.rows)
    return Planned(
        new.plan_id,
        action=meant,
        sets=len(choice.rows),
        by_account=dict(Counter(row["account_id"] for row in choice.rows)),
        points=sum(costs.values()),
        seconds=_seconds(tools, costs, sets=len(choice.rows)),
        next_key=choice.next_key,
        note=_is_for(meant) if fitting is None else None,
        expires_at=now + _LASTS,
    )


def narrowed(wanted: SetFilter, action: Action) -> SetFilter | None:
    """Return the filter of what the action fits, for the indexes; None where nothing can be both.

    Of what does not fit there may be millions, which are not to be read.
    """
    states = [state for state in action.states if not wanted.states or state in wanted.states]
    has_errors = True if action.has_errors else wanted.has_errors
    if not states or wanted.has_errors not in (None, has_errors):
        return None
    return replace(wanted, states=states, has_errors=has_errors)


def _is_for(action: Action) -> str:
    failed = " and of which requests failed" if action.has_errors else ""
    return (
        f"{action.label!r} is for sets that are {' or '.join(action.states)}{failed}: "
        "these filters ask for others."
    )


def _choose(tools: Tools, wanted: SetFilter, action: Action, *, after: Key | None) -> _Choice:
    rows: list[dict[str, Any]] = []
    listing = request_sets.listing(wanted)
    with tools.database.reading() as session:
        for _ in range(_PAGES_MOST):
            limit = min(_PAGE, PLANNED_MOST - len(rows))
            page = paging.read_page(session, listing, after=after, limit=limit)
            rows += [row for row in page.rows if action.fits(row)]
            after = page.next_key
            if after is None or len(rows) >= PLANNED_MOST:
                break
    return _Choice(rows, next_key=after)


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
