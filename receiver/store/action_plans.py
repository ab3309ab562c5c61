"""Statements on plans: actions on many sets, confirmed by their id, done one set at a time."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from receiver.store import audit, due
from receiver.store.audit import Actor, Deed
from receiver.store.models import (
    ActionPlan,
    ActionPlanItem,
    RequestSet,
    Resubmission,
)


@dataclass(frozen=True)
class NewPlan:
    """What is to be confirmed: an action, and the sets that it touches with their accounts.

    ``public_url`` is the one that sets are to be pointed to; None for an action that points none.
    """

    plan_id: str
    action: str
    detail: str
    public_url: str | None
    sets: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class ItemClaim:
    """The right to do a plan's action to one set.

    ``tries`` counts this one; ``is_stopped`` tells that a person stopped the plan meanwhile.
    """

    plan_id: str
    request_set_id: int
    account_id: int
    action: str
    actor: Actor
    confirmed_at: datetime
    is_stopped: bool
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
            public_url=plan.public_url,
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


def stop(session: Session, plan_id: str, *, by: Actor, note: str, now: datetime) -> bool:
    """Refuse what waits of a confirmed plan; False for one that is not confirmed, or has ended.

    What somebody is doing at that moment ends by itself. It stands in the audit log of each
    account of which sets were left.
    """
    waiting = exists().where(ActionPlanItem.plan_id == plan_id, ActionPlanItem.outcome.is_(None))
    stopped = session.execute(
        update(ActionPlan)
        .where(
            ActionPlan.id == plan_id,
            ActionPlan.confirmed_at.is_not(None),
            ActionPlan.stopped_at.is_(None),
            waiting,
        )
        .values(stopped_at=now)
        .returning(ActionPlan.id)
    ).first()
    if stopped is None:
        return False
    left = session.scalars(
        update(ActionPlanItem)
        .where(
            ActionPlanItem.plan_id == plan_id,
            ActionPlanItem.outcome.is_(None),
            ActionPlanItem.lease_token.is_(None),
        )
        .values(outcome=audit.REFUSED, note=note, ended_at=now, due_at=None)
        .returning(ActionPlanItem.account_id)
    ).all()
    for account_id, sets in sorted(Counter(left).items()):
        deed = Deed("stop", account_id, detail=f"plan {plan_id}")
        audit.add_done(session, deed, note=f"Left as they are: {sets} of its sets.", by=by, now=now)
    return True


def is_any_due(
    session: Session,
    *,
    now: datetime,
    public_url: str,
    passing_over: Collection[int] = frozenset(),
    plan_id: str | None = None,
) -> bool:
    """Tell whether there is a set to do something to, of any plan or of one."""
    waiting = _due(now, public_url=public_url, passing_over=passing_over, plan_id=plan_id)
    return session.execute(waiting.limit(1)).first() is not None


def claim_due(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    public_url: str,
    passing_over: Collection[int] = frozenset(),
    plan_id: str | None = None,
) -> ItemClaim | None:
    """Claim what has been due for longest. It is due again should its holder vanish.

    Sets of an account that Facebook asked to wait are passed over, and so are those of the
    accounts in ``passing_over``, and what is to be pointed to another public URL.
    """
    waiting = _due(now, public_url=public_url, passing_over=passing_over, plan_id=plan_id)
    found = session.execute(
        waiting.order_by(ActionPlanItem.due_at, ActionPlanItem.request_set_id)
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
        confirmed_at=plan.confirmed_at,
        is_stopped=plan.stopped_at is not None,
        tries=item.tries,
        lease=item.lease_token,
    )


def _due(
    now: datetime, *, public_url: str, passing_over: Collection[int], plan_id: str | None
) -> Select[ActionPlanItem, ActionPlan]:
    of_plan = () if plan_id is None else (ActionPlanItem.plan_id == plan_id,)
    return (
        select(ActionPlanItem, ActionPlan)
        .join(ActionPlan, ActionPlan.id == ActionPlanItem.plan_id)
        .where(
            ActionPlanItem.due_at <= now,
            ActionPlanItem.account_id.not_in(passing_over),
            ~due.account_waits(now, account_id=ActionPlanItem.account_id),
            or_(ActionPlan.public_url.is_(None), ActionPlan.public_url == public_url),
            *of_plan,
        )
    )


def finish(session: Session, claim: ItemClaim, *, outcome: str, note: str, now: datetime) -> None:
    """Write how it ended, unless somebody else has the set by now."""
    _write(session, claim, outcome=outcome, note=note, ended_at=now, due_at=None)


def postpone(
    session: Session, claim: ItemClaim, *, due_at: datetime, note: str, counts: bool = True
) -> None:
    """Let it be tried once more at a moment; a try that ``counts`` not leaves as many as before."""
    tries = claim.tries if counts else claim.tries - 1
    _write(session, claim, note=note, due_at=due_at, tries=tries)


def postpone_account(session: Session, claim: ItemClaim, *, due_at: datetime, note: str) -> None:
    """Let all that waits of a claim's account in its plan wait on, the claim's own set too.

    It counts as no try: each of them would run into the same.
    """
    postpone(session, claim, due_at=due_at, note=note, counts=False)
    # In PostgreSQL, two workers that do this at once must not wait for each other's rows.
    waiting = (
        select(ActionPlanItem.request_set_id)
        .where(
            ActionPlanItem.plan_id == claim.plan_id,
            ActionPlanItem.account_id == claim.account_id,
            ActionPlanItem.due_at < due_at,
            ActionPlanItem.lease_token.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(ActionPlanItem)
        .where(ActionPlanItem.plan_id == claim.plan_id, ActionPlanItem.request_set_id.in_(waiting))
        .values(due_at=due_at)
    )


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


def sent_again_since(session: Session, request_set_id: int, *, since: datetime) -> int | None:
    """Return a set made since a moment that holds failures of another one; None without one."""
    holds_any = exists().where(
        Resubmission.request_set_id == RequestSet.id, Resubmission.is_live.is_(True)
    )
    child = (
        select(RequestSet.id)
        .where(RequestSet.parent_id == request_set_id, RequestSet.created_at >= since, holds_any)
        .order_by(RequestSet.id)
        .limit(1)
    )
    return session.execute(child).scalar_one_or_none()
