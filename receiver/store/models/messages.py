"""What came, what was read, and what callers were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.models.base import Base, partial_index


class Notification(Base):
    """One HTTP call on a notification URL, as it came.

    There is no foreign key: a valid token without a row is kept too.
    """

    __tablename__ = "notification"
    __table_args__ = (
        # notifications.apply_hints: what has not been applied yet.
        partial_index("ix_notification_unapplied", "id", where="applied_at IS NULL"),
        # notifications.keep and notifications.is_notified: the rows of one token.
        Index("ix_notification_request_set_id_attempt", "request_set_id", "attempt", "id"),
        # lists.notifications: an account's notifications, newest first.
        Index("ix_notification_account_id_received_at", "account_id", "received_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int]
    account_id: Mapped[int | None]
    """Its set's, written when it is applied; None where SQL has no such set."""
    attempt: Mapped[int]
    received_at: Mapped[datetime]
    method: Mapped[str]
    remote_address: Mapped[str]
    query: Mapped[str]
    headers: Mapped[str]
    """A JSON list of name and value pairs."""
    body: Mapped[bytes]
    body_cut: Mapped[str | None]
    """Why the body is not whole: ``size``, ``deadline`` or ``hangup``."""
    repeats: Mapped[int]
    """Calls beyond the rows that one token may fill, counted on its newest row."""
    applied_at: Mapped[datetime | None]


class Look(Base):
    """One reading of the truth at Facebook: why, when, how long, what it cost, what it showed."""

    __tablename__ = "look"
    __table_args__ = (
        # reports.looks: the looks at one set, newest first.
        Index("ix_look_request_set_id_id", "request_set_id", "id"),
        # lists.looks: an account's looks, newest first.
        Index("ix_look_account_id_started_at", "account_id", "started_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))
    account_id: Mapped[int]
    kind: Mapped[str]
    """``set``, ``requests`` or ``edge``: what was read; ``create``: it was to be sent again."""
    why: Mapped[str]
    """``notification``, ``poll``, or ``read`` for a caller who wants to read the set."""
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    calls: Mapped[int]
    rows: Mapped[int]
    is_completed: Mapped[bool | None]
    verdict: Mapped[str | None]
    error_code: Mapped[int | None]
    error: Mapped[str | None]


class Delivery(Base):
    """A collected set's notification to its caller: one row a set."""

    __tablename__ = "delivery"
    __table_args__ = (
        # deliveries.claim_due: the next delivery that is due.
        partial_index("ix_delivery_due", "send_at", where="send_at IS NOT NULL"),
        # lists.deliveries: an account's deliveries, newest first.
        Index("ix_delivery_account_id_created_at", "account_id", "created_at", "id"),
        # lists.deliveries: an account's deliveries in a state.
        Index("ix_delivery_account_id_state", "account_id", "state", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"), unique=True)
    account_id: Mapped[int | None]
    """Its set's; None where a version before 0.2 wrote it."""
    message_id: Mapped[str]
    """The ``webhook-id`` of every attempt."""
    uri: Mapped[str]
    state: Mapped[str]
    """``pending``, ``delivered``, ``failed`` or ``gone`` (the caller answered 410)."""
    attempts: Mapped[int]
    """Counted at the claim, so that a crash counts too."""
    send_at: Mapped[datetime | None]
    result_status: Mapped[str | None]
    """How the last attempt ended: the HTTP status, or an error word."""
    result_response: Mapped[str | None]
    """How the caller's answer to the last attempt begins."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class DeliveryAttempt(Base):
    """One HTTP call to a caller's notification URI."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    number: Mapped[int]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    http_status: Mapped[int | None]
    error: Mapped[str | None]
    response: Mapped[str | None]
