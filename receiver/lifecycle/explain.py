"""Say what would be looked at now, in which way, at what cost, and why: nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from receiver.lifecycle import knowledge, plan
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.look_plan import LookPlan, as_due, plan_looks
from receiver.lifecycle.tools import Tools
from receiver.store import claims, points, waits
from receiver.store.points import Ledger
from receiver.store.waits import Wait

_DUE_MOST = 1000


@dataclass(frozen=True)
class Explained:
    """An account's plan at one moment, and what it follows from."""

    account_id: int
    planned: LookPlan
    searched: int
    due_in_an_hour: int
    known: Knowledge
    ledger: Ledger
    wait: Wait | None
    now: datetime


def explain(tools: Tools, account_id: int) -> Explained:
    """Plan the looks at an account's sets that are due now. Raises DatabaseAway."""
    now = tools.now()
    known = knowledge.of_account(tools, account_id)
    with tools.database.reading() as session:
        due = claims.due_sets(session, account_id, due_before=now, most=_DUE_MOST)
        soon = claims.due_sets(
            session, account_id, due_before=now + timedelta(hours=1), most=_DUE_MOST
        )
        searched = claims.count_searched(session, account_id, due_before=now)
        ledger = points.read(session, account_id)
        wait = waits.of_account(session, account_id, now=now)
    planned = plan_looks([as_due(one) for one in due], sweep_pages=known.sweep_pages)
    return Explained(
        account_id,
        planned=planned,
        searched=searched,
        due_in_an_hour=len(soon),
        known=known,
        ledger=ledger,
        wait=wait,
        now=now,
    )


def first_looks(tools: Tools, explained: Explained) -> dict[int, float]:
    """Return after how many seconds a set is first looked at, by the smallest size of its bucket.

    Only sizes with experience are named: every other begins with the setting.
    """
    learned, now = explained.known.experience, explained.now
    seconds = {}
    for bucket in sorted(learned.durations):
        smallest = 1 << (bucket - 1) if bucket else 0
        usual_seconds = learned.usual_seconds(smallest)
        if usual_seconds is not None:
            look_at = plan.first_look_at(
                tools.pace,
                usual_seconds=usual_seconds,
                early_seconds=learned.early_seconds(smallest),
                loss_rate=learned.loss_rate,
                now=now,
            )
            seconds[smallest] = round((look_at - now).total_seconds(), 1)
    return seconds


def as_json(tools: Tools, explained: Explained) -> dict[str, Any]:
    """Return the plan with what it follows from."""
    score, wait = explained.ledger.score, explained.wait
    return {
        "account": f"act_{explained.account_id}",
        "due": len(explained.planned.direct) + len(explained.planned.swept),
        "due_in_an_hour": explained.due_in_an_hour,
        "searched": explained.searched,
        "way": explained.planned.way,
        "read_by_themselves": len(explained.planned.direct),
        "swept": len(explained.planned.swept),
        "page_budget": explained.planned.page_budget,
        "points": explained.planned.points,
        "score": round(score.at(explained.now), 1),
        "score_limit": score.limit,
        "tier": score.tier,
        "app_percent": explained.ledger.app_percent,
        "waits_until": None if wait is None else wait.resume_at.isoformat(),
        "parked_reason": None if wait is None else wait.parked_reason,
        "loss_rate": round(explained.known.experience.loss_rate, 3),
        "sets_learned_from": explained.known.experience.count,
        "first_look_seconds_by_size": first_looks(tools, explained),
        "page_limit": explained.known.page_limit,
        "sweep_pages": explained.known.sweep_pages,
    }
