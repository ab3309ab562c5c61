"""Statements on deliveries: what callers are to be told, and how the attempts ended."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import MODE_ON_COMPLETE
from receiver.store.models import Delivery, DeliveryAttempt, RequestSet

PENDING = "pending"
DELIVERED = "delivered"
FAILED = "failed"
GONE = "gone"
STATES = (PENDING, DELIVERED, FAILED, GONE)


@dataclass(frozen=True)
class DeliveryClaim:
    """The right to make one attempt, and what is to be sent."""

    delivery_id: int
    request_set_id: int
    account_id: int
    api_key_id: int | None
    facebook_id: int
    message_id: str
    uri: str
    number: int
    lease: str


@dataclass(frozen=True)
class Attempted:
    """How one attempt went."""

    started_at: datetime
    duration_ms: int
    http_status: int | None
    error: str | None
    response: str


def add_if_wanted(session: Session, request_set_ids: Collection[int], *, now: datetime) -> None:
    """Write that callers of collected sets are to be told: those that asked and were not yet."""
    rows = session.execute(
        select(RequestSet.id, RequestSet.account_id, RequestSet.caller_notification_uri).where(
            RequestSet.id.in_(request_set_ids),
            RequestSet.caller_notification_mode == MODE_ON_COMPLETE,
            RequestSet.caller_notification_uri != "",
            ~exists().where(Delivery.request_set_id == RequestSet.id),
        )
    )
    session.add_all(
        Delivery(
            request_set_id=row.id,
            account_id=row.account_id,
            message_id=f"msg_{secrets.token_urlsafe(18)}",
            uri=row.caller_notification_uri,
            state=PENDING,
            attempts=0,
            send_at=now,
            created_at=now,
        )
        for row in rows
    )


def change_unsent(session: Session, request_set_id: int, *, now: datetime) -> bool:
    """Let a delivery follow its set's URI and mode. False where its first attempt has begun."""
    unsent = (Delivery.request_set_id == request_set_id, Delivery.attempts == 0)
    session.execute(delete(Delivery).where(*unsent))
    begun = select(Delivery.id).where(Delivery.request_set_id == request_set_id)
    if session.execute(begun).first() is not None:
        return False
    is_collected = select(RequestSet.collected_at).where(RequestSet.id == request_set_id)
    if session.execute(is_collected).scalar_one() is not None:
        add_if_wanted(session, [request_set_id], now=now)
    return True


def is_any_due(
    session: Session, *, now: datetime, passing_over: Collection[int] = frozenset()
) -> bool:
    """Tell whether there is a delivery to claim."""
    due = _due(now, passing_over).with_only_columns(Delivery.id).limit(1)
    return session.execute(due).first() is not None


def claim_due(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    passing_over: Collection[int] = frozenset(),
) -> DeliveryClaim | None:
    """Claim the delivery that has been due for longest, not one of the accounts passed over.

    The attempt counts from now on, so that a crash counts too.
    """
    found = session.execute(
        _due(now, passing_over)
        .order_by(Delivery.send_at)
        .limit(1)
        .with_for_update(of=Delivery, skip_locked=True)
    ).one_or_none()
    if found is None:
        return None
    row = found.Delivery
    row.attempts += 1
    row.lease_token = secrets.token_hex(16)
    row.lease_expires_at = lease_until
    row.send_at = lease_until
    return DeliveryClaim(
        delivery_id=row.id,
        request_set_id=row.request_set_id,
        account_id=found.account_id,
        api_key_id=found.api_key_id,
        facebook_id=found.facebook_id,
        message_id=row.message_id,
        uri=row.uri,
        number=row.attempts,
        lease=row.lease_token,
    )


def _due(now: datetime, passing_over: Collection[int]) -> Any:
    return (
        select(Delivery, RequestSet.account_id, RequestSet.api_key_id, RequestSet.facebook_id)
        .join(RequestSet, RequestSet.id == Delivery.request_set_id)
        .where(Delivery.send_at <= now, RequestSet.account_id.not_in(passing_over))
    )


def finish_attempt(
    session: Session,
    claim: DeliveryClaim,
    attempted: Attempted,
    *,
    state: str,
    send_at: datetime | None,
    now: datetime,
) -> bool:
    """Write how an attempt went, and what follows if the lease still holds. Returns whether it did.

    The attempt itself is kept by whoever made it.
    """
    session.add(
        DeliveryAttempt(delivery_id=claim.delivery_id, number=claim.number, **vars(attempted))
    )
    written = session.execute(
        update(Delivery)
        .where(Delivery.id == claim.delivery_id, Delivery.lease_token == claim.lease)
        .values(
            state=state,
            send_at=send_at,
            result_status=attempted.error or str(attempted.http_status),
            result_response=attempted.response,
            ended_at=None if state == PENDING else now,
            lease_token=None,
            lease_expires_at=None,
        )
        .returning(Delivery.id)
    ).first()
    return written is not None
