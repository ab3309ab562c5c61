"""Statements on what became of the sets of each hour: counted with each change, read by charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, cast, func, literal_column, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from receiver.store.details import errors_of
from receiver.store.models import ErrorByHour, OutcomeByHour, RequestSet
from receiver.store.types import UTCDateTime

COUNTS = tuple(column.name for column in OutcomeByHour.__table__.columns if not column.primary_key)
"""What is counted of an hour, in the order of its columns."""

NO_ERROR_CODE = 0
"""Stands in ``ErrorByHour`` for requests that failed without a code."""

_LEARNED_BY = {"notification": "by_notification", "poll": "by_poll", "read": "by_read"}


def hour_of(moment: datetime) -> datetime:
    """Return the hour that a moment lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def count_created(session: Session, account_id: int, *, now: datetime) -> None:
    """Count an intent that was written."""
    _add(session, OutcomeByHour, _key(account_id, now), {"created": 1})


def count_rejected(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Count a set that Facebook has not, and will not have."""
    account_id = session.execute(
        select(RequestSet.account_id).where(RequestSet.id == request_set_id)
    ).scalar_one()
    _add(session, OutcomeByHour, _key(account_id, now), {"rejected": 1})


def count_collected(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Count a set and its requests, in the transaction that makes it collected for the first time.

    The rows are written in one order, so that two sets that are collected at once never wait for
    each other in turn.
    """
    row = session.execute(
        select(
            RequestSet.account_id,
            RequestSet.learned_by,
            RequestSet.total_count,
            RequestSet.error_count,
            RequestSet.canceled_count,
        ).where(RequestSet.id == request_set_id, RequestSet.collected_at.is_(None))
    ).one_or_none()
    if row is None:
        return
    key = _key(row.account_id, now)
    counts = {
        "collected": 1,
        "with_errors": 1 if row.error_count else 0,
        "requests": row.total_count or 0,
        "failed_requests": row.error_count or 0,
        "canceled_requests": row.canceled_count or 0,
    }
    if row.learned_by in _LEARNED_BY:
        counts[_LEARNED_BY[row.learned_by]] = 1
    _add(session, OutcomeByHour, key, counts)
    for code, requests in sorted(_errors_of(session, request_set_id).items()):
        _add(session, ErrorByHour, {**key, "error_code": code}, {"requests": requests, "sets": 1})


def _errors_of(session: Session, request_set_id: int) -> dict[int, int]:
    """Count a set's failed requests by their codes, as ``ErrorByHour`` keeps them."""
    counted: dict[int, int] = defaultdict(int)
    for error in errors_of(session, request_set_id):
        counted[error["error_code"] or NO_ERROR_CODE] += error["requests"]
    return counted


def _key(account_id: int, moment: datetime) -> dict[str, Any]:
    return {"account_id": account_id, "hour": hour_of(moment)}


def _add(session: Session, model: Any, key: dict[str, Any], counts: dict[str, int]) -> None:
    """Add to the counts of a row, which is made where there is none."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement: Any = (sqlite.insert if is_sqlite else postgresql.insert)(model)
    session.execute(
        statement.values(**key, **counts).on_conflict_do_update(
            index_elements=list(key),
            set_={name: getattr(model, name) + count for name, count in counts.items()},
        )
    )


@dataclass(frozen=True)
class Period:
    """The hours from ``since`` up to ``until``, which is excluded."""

    since: datetime
    until: datetime


def outcomes(
    session: Session, account_ids: Collection[int], *, period: Period, interval: str = "hour"
) -> list[dict[str, Any]]:
    """Return the sums over some accounts of each hour, or day, in which anything was counted."""
    sums = _sums(OutcomeByHour, COUNTS)
    at = _start_of(session, OutcomeByHour.hour, interval=interval)
    rows = session.execute(
        select(at.label("hour"), *sums)
        .where(*_is_in(OutcomeByHour, account_ids, period))
        .group_by(at)
        .order_by(at)
    ).mappings()
    return [dict(row) for row in rows]


def errors(
    session: Session, account_ids: Collection[int], *, period: Period, interval: str = "hour"
) -> list[dict[str, Any]]:
    """Return how often each account's requests failed with each code in each hour, or day.

    The code is None of those that carry none.
    """
    at = _start_of(session, ErrorByHour.hour, interval=interval)
    sums = _sums(ErrorByHour, ("requests", "sets"))
    key = (at, ErrorByHour.account_id, ErrorByHour.error_code)
    rows = session.execute(
        select(at.label("hour"), *key[1:], *sums)
        .where(*_is_in(ErrorByHour, account_ids, period))
        .group_by(*key)
        .order_by(*key)
    ).mappings()
    return [{**row, "error_code": row["error_code"] or None} for row in rows]


def _sums(model: Any, names: Collection[str]) -> list[Any]:
    # PostgreSQL's sum of 64-bit integers is a decimal number.
    return [cast(func.sum(getattr(model, name)), BigInteger).label(name) for name in names]


def _start_of(session: Session, hour: Any, *, interval: str) -> Any:
    """Return the hour, or when its day begins: a year of hours is summed up where it lies."""
    if interval == "hour":
        return hour
    if session.get_bind().dialect.name == "sqlite":
        # Moments are texts of fixed width there.
        midnight = literal_column("' 00:00:00.000000'", type_=String())
        return type_coerce(func.substr(hour, 1, 10, type_=String()) + midnight, UTCDateTime())
    day: Any = literal_column("'day'")
    zone: Any = literal_column("'UTC'")
    return func.date_trunc(day, hour, zone, type_=UTCDateTime())


def _is_in(model: Any, account_ids: Collection[int], period: Period) -> tuple[Any, ...]:
    return (
        model.account_id.in_(account_ids),
        model.hour >= hour_of(period.since),
        model.hour < period.until,
    )
