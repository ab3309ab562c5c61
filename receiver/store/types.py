"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator

MAX_ID = 2**63 - 1
"""Facebook's ids are 64-bit integers in SQL and strings in JSON."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer; SQLite numbers rows by itself only for a column that it calls INTEGER."""


def sqlite_text(moment: datetime) -> str:
    """Return a moment as ``UTCDateTime`` stores it in SQLite, for what the driver is given."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python, of fixed width in SQL, so that it sorts as text too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment must carry its time zone.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
