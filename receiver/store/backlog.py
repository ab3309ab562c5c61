"""Statements on how much work waits, for those who ask again and again.

Nothing here reads more than COUNTED_MOST entries of an index, however much there is, and one entry
for each account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from receiver.store import due, intents
from receiver.store.models import Notification, RequestSet

COUNTED_MOST = 10_000


@dataclass(frozen=True)
class Backlog:
    """What is due; every count ends at COUNTED_MOST.

    ``waiting_sets`` are those of ``due_sets`` whose account may not be asked yet: no worker could
    do anything about them. ``oldest_due_at`` is of what could be claimed, None where there is none.
    """

    due_sets: int
    waiting_sets: int
    oldest_due_at: datetime | None
    unapplied_notifications: int


def read(session: Session, *, now: datetime) -> Backlog:
    """Return what is due now."""
    longest_due = (
        select(due.account_waits(now).label("waits"))
        .where(RequestSet.look_at <= now, due.OF_ANY_ACCOUNT)
        .order_by(RequestSet.look_at)
        .limit(COUNTED_MOST)
        .subquery()
    )
    waiting = func.sum(case((longest_due.c.waits, 1), else_=0))
    sets, waiting_sets = session.execute(
        select(func.count(), func.coalesce(waiting, 0)).select_from(longest_due)
    ).one()
    return Backlog(
        due_sets=sets,
        waiting_sets=waiting_sets,
        oldest_due_at=due.oldest_at(session, now=now),
        unapplied_notifications=_unapplied_notifications(session),
    )


def count_states(session: Session) -> dict[str, int]:
    """Count the sets in each state; every count ends at COUNTED_MOST."""
    return {
        state: _count(session, select(RequestSet.id).where(RequestSet.state == state))
        for state in intents.STATES
    }


def _unapplied_notifications(session: Session) -> int:
    return _count(session, select(Notification.id).where(Notification.applied_at.is_(None)))


def _count(session: Session, some: Select[Any]) -> int:
    counted = select(func.count()).select_from(some.limit(COUNTED_MOST).subquery())
    return session.execute(counted).scalar_one()
