"""Statements on how much work waits, for those who ask again and again.

Nothing here reads more than COUNTED_MOST entries of an index, however much there is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Subquery, case, func, select
from sqlalchemy.orm import Session

from receiver.store import claims, intents
from receiver.store.models import Notification, RequestSet

COUNTED_MOST = 10_000


@dataclass(frozen=True)
class Backlog:
    """What is due; every count ends at COUNTED_MOST.

    ``waiting_sets`` are those of ``due_sets`` whose account may not be asked yet: no worker could
    do anything about them. ``oldest_due_at`` is of the others, None where there are none.
    """

    due_sets: int
    waiting_sets: int
    oldest_due_at: datetime | None
    unapplied_notifications: int


def read(session: Session, *, now: datetime) -> Backlog:
    """Return what is due now."""
    due = _due(now)
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((due.c.waits, 1), else_=0)), 0),
            func.min(case((~due.c.waits, due.c.look_at))),
        ).select_from(due)
    ).one()
    return Backlog(
        due_sets=row[0],
        waiting_sets=row[1],
        oldest_due_at=row[2],
        unapplied_notifications=_unapplied_notifications(session),
    )


def oldest_due(session: Session, account_ids: Collection[int], *, now: datetime) -> datetime | None:
    """Return since when the set of some accounts has been due that has for longest.

    Accounts that may not be asked yet do not count. It is looked for among the COUNTED_MOST sets
    of all accounts that have been due for longest.
    """
    due = _due(now)
    return session.execute(
        select(due.c.look_at)
        .where(due.c.account_id.in_(account_ids), ~due.c.waits)
        .order_by(due.c.look_at)
        .limit(1)
    ).scalar_one_or_none()


def _due(now: datetime) -> Subquery:
    """The sets that have been due for longest, and whether the account of each has to wait."""
    return (
        select(RequestSet.look_at, RequestSet.account_id, claims.account_waits(now).label("waits"))
        .where(RequestSet.look_at <= now)
        .order_by(RequestSet.look_at)
        .limit(COUNTED_MOST)
        .subquery()
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
