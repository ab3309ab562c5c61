"""Statements that people's actions make: a set becomes due, or its caller is told again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from receiver.store import deliveries, intents
from receiver.store.models import Delivery, RequestSet

_LOOKED_AT = (intents.UNKNOWN, intents.OPEN, intents.COMPLETED, intents.STUCK)


def look_now(session: Session, request_set_id: int, *, now: datetime) -> bool:
    """Make a set without an end due; False for another.

    A step that is under way sees that ``look_at`` is no more what its claim wrote, and leaves it.
    """
    return _changed(session, request_set_id, _LOOKED_AT, look_at=now, quiet_looks=0)


def look_sooner(session: Session, account_id: int, *, due_before: datetime, now: datetime) -> None:
    """Make the sets without an end due that an account looks at by ``due_before``.

    A create that may be on its way is left alone, and so is a verdict that is still out: each
    waits for a moment of its own. So is a set that somebody has in hand at this moment.
    """
    waiting = (
        select(RequestSet.id)
        .where(
            RequestSet.account_id == account_id,
            RequestSet.state.in_(_LOOKED_AT),
            RequestSet.look_at > now,
            RequestSet.look_at <= due_before,
        )
        .with_for_update(skip_locked=True, key_share=True)
    )
    session.execute(update(RequestSet).where(RequestSet.id.in_(waiting)).values(look_at=now))


def collect_again(session: Session, request_set_id: int, *, now: datetime) -> bool:
    """Make a collected set one that is to be collected, and due; False for another.

    It keeps ``collected_at``: for its caller it stays complete.
    """
    return _changed(
        session,
        request_set_id,
        (intents.COLLECTED,),
        state=intents.COMPLETED,
        look_at=now,
        quiet_looks=0,
        page_after=None,
    )


def _changed(
    session: Session, request_set_id: int, states: tuple[str, ...], **values: object
) -> bool:
    written = session.execute(
        update(RequestSet)
        .where(RequestSet.id == request_set_id, RequestSet.state.in_(states))
        .values(**values)
        .returning(RequestSet.id)
    ).first()
    return written is not None


def replay(session: Session, request_set_id: int, *, now: datetime) -> bool:
    """Make a delivery that has an end due once more; False where there is none."""
    written = session.execute(
        update(Delivery)
        .where(Delivery.request_set_id == request_set_id, Delivery.state != deliveries.PENDING)
        .values(state=deliveries.PENDING, send_at=now, ended_at=None)
        .returning(Delivery.id)
    ).first()
    return written is not None
