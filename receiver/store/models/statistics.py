"""What became of the sets of each hour: written with them, so that charts never scan."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.models.base import Base

_ZERO = text("0")


class OutcomeByHour(Base):
    """An account's sets of one hour (UTC): those made in it, and those collected in it."""

    __tablename__ = "outcome_by_hour"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    created: Mapped[int] = mapped_column(server_default=_ZERO)
    rejected: Mapped[int] = mapped_column(server_default=_ZERO)
    collected: Mapped[int] = mapped_column(server_default=_ZERO)
    by_notification: Mapped[int] = mapped_column(server_default=_ZERO)
    """Of the collected: those that a notification told us of first."""
    by_poll: Mapped[int] = mapped_column(server_default=_ZERO)
    by_read: Mapped[int] = mapped_column(server_default=_ZERO)
    """Of the collected: those that a caller asked for before anything else told us."""
    with_errors: Mapped[int] = mapped_column(server_default=_ZERO)
    requests: Mapped[int] = mapped_column(server_default=_ZERO)
    failed_requests: Mapped[int] = mapped_column(server_default=_ZERO)
    canceled_requests: Mapped[int] = mapped_column(server_default=_ZERO)


class ErrorByHour(Base):
    """How many requests of an account's sets collected in an hour failed with an error code.

    A key takes no NULL: code 0 stands for requests that failed without a code.
    """

    __tablename__ = "error_by_hour"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    error_code: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    requests: Mapped[int]
    sets: Mapped[int]
