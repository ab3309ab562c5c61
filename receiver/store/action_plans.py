"""Statements on plans: actions on many sets, confirmed by their id, done one set at a time."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from receiver.store.audit import Actor
from receiver.store.models import ActionPlan, ActionPlanItem


@dataclass(frozen=True)
class NewPlan:
    """What is to be confirmed: an action, and the sets that it touches with their accounts."""

    plan_id: str
    action: str
    detail: str
    sets: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class ItemClaim:
    """The right to do a plan's action to one set."""

    plan_id: str
    request_set_id: int
    account_id: int
    action: str
    actor: Actor
    tries: int
    lease: str


def add(session: Session, plan: NewPlan, *, by: Actor, expires_at: datetime, now: datetime) -> None:
    """Keep a plan."""
    session.add(
        ActionPlan(
            id=plan.plan_id,
            action=plan.action,
            actor=by.name,
            api_key_id=by.api_key_id,
            detail=plan.detail,
            made_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    rows = [
        {
            "plan_id": plan.plan_id,
            "request_set_id": request_set_id,
            "account_id": account_id,
            "tries": 0,
        }
        for request_set_id, account_id in plan.sets
    ]
    if rows:
        session.execute(insert(ActionPlanItem), rows)


def find(session: Session, plan_id: str, *, by: Actor) -> dict[str, Any] | None:
    """Return whoever asks their own plan, with how many of its sets ended how in ``counts``."""
    row = (
        session.execute(
            select(*ActionPlan.__table__.columns).where(
                ActionPlan.id == plan_id,
                ActionPlan.api_key_id.is_not_distinct_from(by.api_key_id),
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    counted = session.execute(
        select(ActionPlanItem.outcome, func.count())
        .where(ActionPlanItem.plan_id == plan_id)
        .group_by(ActionPlanItem.outcome)
    )
    counts = {outcome or "waiting": count for outcome, count in counted}
    return {**row, "counts": counts}


def items(session: Session, plan_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return sets of a plan: what ended otherwise than well first, then those that wait."""
    rows = session.execute(
        select(*ActionPlanItem.__table__.columns)
        .where(ActionPlanItem.plan_id == plan_id)
        .order_by(
            ActionPlanItem.outcome == "done",
            ActionPlanItem.outcome.is_(None),
            ActionPlanItem.request_set_id,
        )
        .limit(limit)
    ).mappings()
    return [dict(row) for row in rows]


def confirm(session: Session, plan_id: str, *, now: datetime) -> bool:
    """Make a plan's sets due; False for a plan that is confirmed or out of date."""
    confirmed = session.execute(
        update(ActionPlan)
        .where(
            ActionPlan.id == plan_id,
            ActionPlan.confirmed_at.is_(None),
            ActionPlan.expires_at > now,
        )
        .values(confirmed_at=now)
        .returning(ActionPlan.id)
    ).first()
    if confirmed is None:
        return False
    session.execute(
        update(ActionPlanItem).where(ActionPlanItem.plan_id == plan_id).values(due_at=now)
    )
    return True


def is_any_due(
    session: Session,
    *,
    now: datetime,
    passing_over: Collection[int] = frozenset(),
    plan_id: str | None = None,
) -> bool:
    """Tell whether there is a set to do something to, of any plan or of one."""
    due = select(ActionPlanItem.plan_id).where(*_is_due(now, passing_over, plan_id)).limit(1)
    return session.execute(due).first() is not None


def _is_due(now: datetime, passing_over: Collection[int], plan_id: str | None) -> tuple[Any, ...]:
    of_plan = () if plan_id is None else (ActionPlanItem.plan_id == plan_id,)
    return (
        ActionPlanItem.due_at <= now,
        ActionPlanItem.account_id.not_in(passing_over),
        *of_plan,
    )


def claim_due(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    passing_over: Collection[int] = frozenset(),
    plan_id: str | None = None,
) -> ItemClaim | None:
    """Claim what has been due for longest. It is due again should its holder vanish."""
    found = session.execute(
        select(ActionPlanItem, ActionPlan)
        .join(ActionPlan, ActionPlan.id == ActionPlanItem.plan_id)
        .where(*_is_due(now, passing_over, plan_id))
        .order_by(ActionPlanItem.due_at, ActionPlanItem.request_set_id)
        .limit(1)
        .with_for_update(of=ActionPlanItem, skip_locked=True)
    ).one_or_none()
    if found is None:
        return None
    item, plan = found.ActionPlanItem, found.ActionPlan
    item.due_at = lease_until
    item.tries += 1
    item.lease_token = secrets.token_hex(16)
    return ItemClaim(
        plan_id=item.plan_id,
        request_set_id=item.request_set_id,
        account_id=item.account_id,
        action=plan.action,
        actor=Actor(plan.actor, api_key_id=plan.api_key_id),
        tries=item.tries,
        lease=item.lease_token,
    )


def finish(session: Session, claim: ItemClaim, *, outcome: str, note: str, now: datetime) -> None:
    """Write how it ended, unless somebody else has the set by now."""
    _write(session, claim, outcome=outcome, note=note, ended_at=now, due_at=None)


def postpone(session: Session, claim: ItemClaim, *, due_at: datetime, note: str) -> None:
    """Let it be tried once more at a moment."""
    _write(session, claim, note=note, due_at=due_at)


def _write(session: Session, claim: ItemClaim, **values: object) -> None:
    session.execute(
        update(ActionPlanItem)
        .where(
            ActionPlanItem.plan_id == claim.plan_id,
            ActionPlanItem.request_set_id == claim.request_set_id,
            ActionPlanItem.lease_token == claim.lease,
        )
        .values(**values, lease_token=None)
    )
