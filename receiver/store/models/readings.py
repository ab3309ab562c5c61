"""What was read of accounts and edges that also hold what others made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.models.base import Base


class Reconciliation(Base):
    """One comparison of SQL with what Facebook lists of an account, for sets of a time range."""

    __tablename__ = "reconciliation"
    __table_args__ = (
        # integrity.newest_reconciliations: an account's newest one.
        Index("ix_reconciliation_account_id_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    since: Mapped[datetime]
    until: Mapped[datetime]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    calls: Mapped[int]
    sets: Mapped[int]
    """How many sets Facebook listed, others' included."""
    is_whole: Mapped[bool]
    """Whether every list was read to its last page."""
    differences: Mapped[int]


class GraphObject(Base):
    """An object at Facebook whose account was read once: an object never moves to another."""

    __tablename__ = "graph_object"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int]
    read_at: Mapped[datetime]


class EdgeReading(Base):
    """How far an edge at Facebook was read that also holds what others made.

    The edge of an account (``asyncadrequestsets``, ``asyncadcreatives``, ``async_requests``) holds
    sets, that of an ad set or a campaign (``asyncadrequests``) holds requests.
    """

    __tablename__ = "edge_reading"

    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(primary_key=True)
    read_at: Mapped[datetime | None]
    """When the last reading that saw all that is new began."""
    walked_at: Mapped[datetime | None]
    """When the last reading to the last page began."""
    after: Mapped[str | None]
    """The cursor from which a reading goes on that had no time to reach the last page."""
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class EdgeMember(Base):
    """A set or a request as an edge at Facebook showed it."""

    __tablename__ = "edge_member"

    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_final: Mapped[bool]
    """A complete set, or a request with a final status: it does not change any more."""
    record: Mapped[bytes]
    """The node as JSON, with every field that was asked for."""
    read_at: Mapped[datetime]
