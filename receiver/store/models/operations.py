"""What people do and did, and which workers are alive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.models.base import Base, partial_index


class AuditEntry(Base):
    """Something that a person did, or was refused: who, when and what."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        # lists.audit_entries: what was done in an account, newest first.
        Index("ix_audit_entry_account_id_at", "account_id", "at", "id"),
        # lists.audit_entries: what was done to a set.
        Index("ix_audit_entry_request_set_id", "request_set_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    """``key NAME`` for who came by HTTP, ``command (USER)`` for the command line."""
    api_key_id: Mapped[int | None]
    account_id: Mapped[int | None]
    request_set_id: Mapped[int | None]
    action: Mapped[str]
    outcome: Mapped[str]
    """``begun``, and then ``done``, ``refused`` or ``failed``."""
    detail: Mapped[str]
    """What it was done with, in words; never a secret."""
    note: Mapped[str | None]
    """How it ended, in words; never a secret."""


class ActionPlan(Base):
    """An action on many sets: what it will touch, to be confirmed by its id."""

    __tablename__ = "action_plan"

    id: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]
    actor: Mapped[str]
    api_key_id: Mapped[int | None]
    detail: Mapped[str]
    """The filters that chose the sets, in words."""
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    """When a person stopped it: what is not done by then is left."""
    public_url: Mapped[str | None]
    """Under which public URL it points sets here; a worker with another one leaves it alone."""


class ActionPlanItem(Base):
    """One set of a plan, and what became of the action on it."""

    __tablename__ = "action_plan_item"
    __table_args__ = (
        # action_plans.claim_due: what is confirmed and not done.
        partial_index("ix_action_plan_item_due", "due_at", where="due_at IS NOT NULL"),
    )

    plan_id: Mapped[str] = mapped_column(ForeignKey("action_plan.id"), primary_key=True)
    request_set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int]
    due_at: Mapped[datetime | None]
    """When it is to be done next; None before the plan is confirmed, and once it has an end."""
    tries: Mapped[int]
    lease_token: Mapped[str | None]
    outcome: Mapped[str | None]
    """``done``, ``refused`` or ``failed``."""
    note: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class WorkerHeartbeat(Base):
    """A worker that was alive at ``beat_at``."""

    __tablename__ = "worker_heartbeat"

    worker_id: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
