"""Statements on what became of the sets of each hour: counted with each change, read by charts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, cast, func, literal_column, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from receiver.store.details import has_failed
from receiver.store.models import ErrorByHour, OutcomeByHour, Request, RequestSet
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
    _add(session, OutcomeByHour, [(_key(account_id, now), {"created": 1})])


def count_rejected(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Count a set that Facebook has not, and will not have."""
    account_id = session.execute(
        select(RequestSet.account_id).where(RequestSet.id == request_set_id)
    ).scalar_one()
    _add(session, OutcomeByHour, [(_key(account_id, now), {"rejected": 1})])


def count_collected(session: Session, request_set_ids: Collection[int], *, now: datetime) -> None:
    """Count sets and their requests, in the transaction that makes them collected the first time.

    The rows are written in one order, so that two workers that collect at once never wait for each
    other in turn.
    """
    rows = session.execute(
        select(
            RequestSet.id,
            RequestSet.account_id,
            RequestSet.learned_by,
            RequestSet.total_count,
            RequestSet.error_count,
            RequestSet.canceled_count,
        ).where(RequestSet.id.in_(request_set_ids), RequestSet.collected_at.is_(None))
    ).all()
    outcomes: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        outcomes[row.account_id].update(_counts_of(row))
    for account_id, counts in sorted(outcomes.items()):
        _add(session, OutcomeByHour, [(_key(account_id, now), counts)])
    errors = _errors_of(session, {row.id: row.account_id for row in rows})
    if errors:
        found = [
            ({**_key(account_id, now), "error_code": code}, counts)
            for (account_id, code), counts in sorted(errors.items())
        ]
        _add(session, ErrorByHour, found)


def _counts_of(row: Any) -> dict[str, int]:
    """What one collected set adds to its hour."""
    counts = {
        "collected": 1,
        "with_errors": 1 if row.error_count else 0,
        "requests": row.total_count or 0,
        "failed_requests": row.error_count or 0,
        "canceled_requests": row.canceled_count or 0,
    }
    if row.learned_by in _LEARNED_BY:
        counts[_LEARNED_BY[row.learned_by]] = 1
    return counts


def _errors_of(
    session: Session, accounts: Mapping[int, int]
) -> dict[tuple[int, int], Counter[str]]:
    """Count the failed requests of sets by account and code, as ``ErrorByHour`` keeps them.

    ``accounts`` are those of the sets, by the sets' ids.
    """
    # A set's failures without a code and those with the code 0 stand in one row.
    code = func.coalesce(Request.error_code, NO_ERROR_CODE)
    rows = session.execute(
        select(Request.request_set_id, code.label("code"), func.count().label("requests"))
        .where(Request.request_set_id.in_(accounts), has_failed())
        .group_by(Request.request_set_id, code)
    )
    counted: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for row in rows:
        key = accounts[row.request_set_id], row.code
        counted[key].update({"requests": row.requests, "sets": 1})
    return counted


def _key(account_id: int, moment: datetime) -> dict[str, Any]:
    return {"account_id": account_id, "hour": hour_of(moment)}


def _add(
    session: Session, model: Any, rows: Sequence[tuple[dict[str, Any], Mapping[str, int]]]
) -> None:
    """Add to the counts of rows, by their keys; one that is not there is made."""
    key, counts = rows[0]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement: Any = (sqlite.insert if is_sqlite else postgresql.insert)(model.__table__)
    adding = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: getattr(model, name) + statement.excluded[name] for name in counts},
    )
    session.connection().execute(adding, [{**key, **counts} for key, counts in rows])


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
