"""Statements on the audit log: who did what, when, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from receiver.store.models import ActionPlan, ActionPlanItem, AuditEntry

BEGUN = "begun"
DONE = "done"
REFUSED = "refused"
FAILED = "failed"


@dataclass(frozen=True)
class Actor:
    """Who acts: a key's holder, or somebody at the command line."""

    name: str
    api_key_id: int | None = None


@dataclass(frozen=True)
class Deed:
    """What is done, to which set or account, and with what, in words; never a secret."""

    action: str
    account_id: int
    request_set_id: int | None = None
    detail: str = ""


def begin(session: Session, deed: Deed, *, by: Actor, now: datetime) -> int:
    """Write that something is being done, before it is; return the entry's number."""
    entry = AuditEntry(
        at=now,
        actor=by.name,
        api_key_id=by.api_key_id,
        account_id=deed.account_id,
        request_set_id=deed.request_set_id,
        action=deed.action,
        outcome=BEGUN,
        detail=deed.detail,
    )
    session.add(entry)
    session.flush()
    return entry.id


def end(session: Session, entry_id: int, *, outcome: str, note: str) -> None:
    """Write how it ended, and in ``note`` what came of it, in words; never a secret."""
    session.execute(
        update(AuditEntry).where(AuditEntry.id == entry_id).values(outcome=outcome, note=note)
    )


def add_done(session: Session, deed: Deed, *, note: str, by: Actor, now: datetime) -> None:
    """Write what is done within the same transaction."""
    end(session, begin(session, deed, by=by, now=now), outcome=DONE, note=note)


def confirmed(session: Session, plan_id: str, *, by: Actor, now: datetime) -> None:
    """Write that a plan is confirmed: an entry for each account with sets in it.

    It belongs into the transaction that confirms the plan.
    """
    rows = session.execute(
        select(ActionPlan.action, ActionPlanItem.account_id, func.count())
        .join(ActionPlanItem, ActionPlanItem.plan_id == ActionPlan.id)
        .where(ActionPlan.id == plan_id)
        .group_by(ActionPlan.action, ActionPlanItem.account_id)
    )
    for action, account_id, sets in rows.all():
        deed = Deed("confirm", account_id, detail=f"plan {plan_id}: {action}, {sets} sets")
        add_done(session, deed, note="A worker acts on one set after another.", by=by, now=now)
