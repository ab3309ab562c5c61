"""Statements on what waits to be done."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from receiver.store.models import RequestSet

_LOOKED_THROUGH = 1000


def oldest_due(session: Session, account_ids: Collection[int], *, now: datetime) -> datetime | None:
    """Return since when the set of some accounts has been due that has for longest.

    Looked for among the 1,000 that have been due for longest of all accounts.
    """
    due = (
        select(RequestSet.look_at, RequestSet.account_id)
        .where(RequestSet.look_at <= now)
        .order_by(RequestSet.look_at)
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    return session.execute(
        select(due.c.look_at)
        .where(due.c.account_id.in_(account_ids))
        .order_by(due.c.look_at)
        .limit(1)
    ).scalar_one_or_none()
