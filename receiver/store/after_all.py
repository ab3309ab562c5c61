"""Statements on an intent that was rejected, or given up, and that Facebook has after all.

Meanwhile the same may have been sent once more: whatever was counts as doubled.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from receiver.store.models import RequestSet, Resubmission
from receiver.store.types import UTCDateTime


def hold_requests(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Hold the requests that a set sends again, as before it was rejected.

    It is doubled where another live set holds some of them by now.
    Nobody can take one of them in between: the set that they are of is locked first, as it is by
    whoever sends them again.
    """
    parent_id = session.execute(
        select(RequestSet.parent_id).where(RequestSet.id == request_set_id)
    ).scalar_one()
    if parent_id is None:
        return
    session.execute(
        select(RequestSet.id).where(RequestSet.id == parent_id).with_for_update(key_share=True)
    )
    other = aliased(Resubmission)
    is_taken = exists().where(
        other.request_id == Resubmission.request_id,
        other.is_live,
        other.request_set_id != request_set_id,
    )
    is_own = Resubmission.request_set_id == request_set_id
    session.execute(update(Resubmission).where(is_own, ~is_taken).values(is_live=True))
    is_any_taken = exists().where(is_own, ~Resubmission.is_live)
    session.execute(
        update(RequestSet)
        .where(RequestSet.id == request_set_id, is_any_taken)
        .values(doubled_at=func.coalesce(RequestSet.doubled_at, literal(now, UTCDateTime())))
    )


def mark_repetitions(session: Session, request_set_id: int, *, abandoned_at: datetime) -> None:
    """Mark what asks for the same as an intent, and was made since that was given up, as its twin.

    Twins count as doubled once Facebook has both, whichever comes to light first.
    """
    abandoned = aliased(RequestSet)
    is_same = exists().where(
        abandoned.id == request_set_id,
        abandoned.account_id == RequestSet.account_id,
        abandoned.edge == RequestSet.edge,
        abandoned.parameters_hash == RequestSet.parameters_hash,
    )
    account_id = select(RequestSet.account_id).where(RequestSet.id == request_set_id)
    session.execute(
        update(RequestSet)
        .where(
            RequestSet.account_id == account_id.scalar_subquery(),
            RequestSet.id > request_set_id,
            RequestSet.created_at >= abandoned_at,
            RequestSet.twin_of.is_(None),
            is_same,
        )
        .values(twin_of=request_set_id)
    )
