"""Statements on notifications that were kept: apply them as hints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, exists, null, select, update
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.models import Notification, RequestSet

HINT_SPACING = timedelta(seconds=10)

_DUE_BY_HINT = (intents.UNKNOWN, *intents.DECIDED, intents.OPEN, intents.COMPLETED)


def is_notified(session: Session, request_set_id: int) -> bool:
    """Tell whether a notification of this set has come."""
    return session.execute(
        select(exists().where(Notification.request_set_id == request_set_id))
    ).scalar_one()


def has_unapplied(session: Session) -> bool:
    """Tell whether there is a notification to apply."""
    return session.execute(select(exists().where(Notification.applied_at.is_(None)))).scalar_one()


@dataclass(frozen=True)
class Applied:
    """How many notifications were applied, and the accounts of the sets that they are about."""

    notifications: int = 0
    account_ids: frozenset[int] = frozenset()


def apply_hints(session: Session, *, now: datetime, limit: int = 500) -> Applied:
    """Make the sets of unapplied notifications due, and mark the notifications as applied.

    A set is made due at most once in ten seconds; a collected one has nothing more to learn than
    that its notification did come.
    """
    rows = session.execute(
        select(Notification.id, Notification.request_set_id, Notification.received_at)
        .where(Notification.applied_at.is_(None))
        .order_by(Notification.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    if not rows:
        return Applied()
    account_ids = _hint(session, {row.request_set_id for row in rows}, now=now)
    moments = [row.received_at for row in rows]
    session.execute(
        update(Notification)
        .where(
            Notification.id.in_([row.id for row in rows]),
            # They are of this month as a rule: PostgreSQL looks into no other month's partition.
            Notification.received_at.between(min(moments), max(moments)),
        )
        .values(applied_at=now, account_id=_account_of_its_set())
    )
    return Applied(len(rows), account_ids)


def _account_of_its_set() -> ScalarSelect[int]:
    """None for a set that is not in SQL."""
    of_its_set = RequestSet.id == Notification.request_set_id
    return select(RequestSet.account_id).where(of_its_set).correlate(Notification).scalar_subquery()


def _hint(session: Session, request_set_ids: set[int], *, now: datetime) -> frozenset[int]:
    """Make sets due, and return their accounts."""
    # Locked in one order, so that two workers that apply hints never wait for each other in turn.
    sets = session.execute(
        select(
            RequestSet.id,
            RequestSet.account_id,
            RequestSet.state,
            RequestSet.hinted_at,
            RequestSet.look_at,
        )
        .where(RequestSet.id.in_(request_set_ids))
        .order_by(RequestSet.id)
        .with_for_update(key_share=True)
    ).all()
    for row in sets:
        session.execute(
            update(RequestSet)
            .where(RequestSet.id == row.id)
            .values(
                hinted_at=now, **_effect(row.state, row.hinted_at, look_at=row.look_at, now=now)
            )
        )
    return frozenset(row.account_id for row in sets)


def _effect(
    state: str, hinted_at: datetime | None, *, look_at: datetime | None, now: datetime
) -> dict[str, object]:
    """What a hint changes of a set in this state, beside the time of the hint.

    One that is being submitted is not looked for while its sender may still be waiting: whoever
    writes the outcome sees the hint and makes the set due.
    """
    if state in _DUE_BY_HINT:
        return {"look_at": _due(hinted_at, look_at=look_at, now=now)}
    if state == intents.COLLECTED:
        return {"verdict": "delivered", "look_at": null()}
    return {}


def _due(hinted_at: datetime | None, *, look_at: datetime | None, now: datetime) -> datetime:
    if hinted_at is None:
        return now
    soonest = max(now, hinted_at + HINT_SPACING)
    return soonest if look_at is None else min(soonest, look_at)
