"""Statements on the two numbers that must be zero, and on what they are made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, union_all
from sqlalchemy.orm import Session, aliased

from receiver.store import intents
from receiver.store.models import FoundSet, Notification, Reconciliation, RequestSet

COUNTED_MOST = 10_000
_SHOWN_MOST = 100
_COLUMNS = (
    RequestSet.id,
    RequestSet.account_id,
    RequestSet.facebook_id,
    RequestSet.name,
    RequestSet.state,
    RequestSet.state_reason,
    RequestSet.created_at,
    RequestSet.deadline_at,
    RequestSet.missing_at,
    RequestSet.doubled_at,
    RequestSet.twin_of,
)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Counted:
    """How many there are, COUNTED_MOST at the most, and the first of them.

    ``is_exact`` is false where there are more than that.
    """

    count: int
    is_exact: bool
    rows: Rows


def counts(session: Session, *, now: datetime) -> dict[str, int]:
    """Count all four in every account, without the rows; each count ends at COUNTED_MOST.

    However many are overdue, no more of them than that are read.
    """
    deadline_at = RequestSet.deadline_at
    return {
        "missing": _count_overdue(session, RequestSet.missing_at <= now, deadline_at, now=now),
        "doubled": _count(session, _is_doubled()),
        "late": _count_overdue(session, RequestSet.missing_at > now, deadline_at.desc(), now=now),
        "stuck": _count(session, RequestSet.state == intents.STUCK),
    }


def _count_overdue(
    session: Session, is_meant: ColumnElement[bool], order: Any, *, now: datetime
) -> int:
    """Count among those that come first: what is missing had its deadline before what is late."""
    overdue = (
        select(is_meant.label("is_meant"))
        .where(RequestSet.deadline_at <= now, _has_no_end())
        .order_by(order)
        .limit(COUNTED_MOST)
        .subquery()
    )
    counted = select(func.count()).select_from(overdue).where(overdue.c.is_meant)
    return session.execute(counted).scalar_one()


def missing(session: Session, account_ids: Collection[int] | None, *, now: datetime) -> Counted:
    """Return the sets without an end that are past the moment from which they count as missing.

    ``account_ids`` None stands for every account, here and below.
    """
    return _counted(session, account_ids, _is_missing(now))


def _is_missing(now: datetime) -> ColumnElement[bool]:
    # The deadline comes first, and has an index.
    return and_(RequestSet.deadline_at <= now, RequestSet.missing_at <= now, _has_no_end())


def late(session: Session, account_ids: Collection[int] | None, *, now: datetime) -> Counted:
    """Return the sets that are past their deadline, and not missing yet."""
    return _counted(session, account_ids, _is_late(now))


def _is_late(now: datetime) -> ColumnElement[bool]:
    return and_(RequestSet.deadline_at <= now, RequestSet.missing_at > now, _has_no_end())


def stuck(session: Session, account_ids: Collection[int] | None) -> Counted:
    """Return the sets that a person has to look at."""
    return _counted(session, account_ids, RequestSet.state == intents.STUCK)


def doubled(session: Session, account_ids: Collection[int] | None) -> Counted:
    """Return the intents with two sets at Facebook, or with one beside that of their twin."""
    return _counted(session, account_ids, _is_doubled())


def _is_doubled() -> ColumnElement[bool]:
    second, twin = aliased(RequestSet), aliased(RequestSet)
    has_twin = exists().where(twin.id == second.twin_of, twin.facebook_id.is_not(None))
    is_twin = (second.twin_of.is_not(None), second.facebook_id.is_not(None), has_twin)
    # Each has an index of its own, of which SQLite takes neither for an OR.
    either = union_all(
        select(second.id).where(second.doubled_at.is_not(None)), select(second.id).where(*is_twin)
    )
    return RequestSet.id.in_(either)


def found_sets(session: Session, request_set_ids: Collection[int]) -> dict[int, list[int]]:
    """Return every id at Facebook that names each of some intents."""
    rows = session.execute(
        select(FoundSet.request_set_id, FoundSet.facebook_id)
        .where(FoundSet.request_set_id.in_(request_set_ids))
        .order_by(FoundSet.facebook_id)
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.request_set_id, []).append(row.facebook_id)
    return found


def orphans(session: Session, *, limit: int = _SHOWN_MOST) -> Rows:
    """Return the newest notifications with a valid token whose intent SQL does not have.

    A database that was restored from a backup has forgotten what Facebook still has.
    """
    is_known = exists().where(RequestSet.id == Notification.request_set_id)
    newest = select(Notification.id).order_by(Notification.id.desc()).limit(COUNTED_MOST).subquery()
    rows = session.execute(
        select(
            Notification.id,
            Notification.request_set_id,
            Notification.attempt,
            Notification.received_at,
        )
        .where(Notification.id.in_(select(newest.c.id)), ~is_known)
        .order_by(Notification.id.desc())
        .limit(limit)
    ).mappings()
    return [dict(row) for row in rows]


def newest_reconciliations(
    session: Session, account_ids: Collection[int] | None
) -> dict[int, dict[str, Any]]:
    """Return, of each account that was ever reconciled, the newest reconciliation."""
    of_asked = [] if account_ids is None else [Reconciliation.account_id.in_(account_ids)]
    newest = (
        select(func.max(Reconciliation.id)).where(*of_asked).group_by(Reconciliation.account_id)
    )
    rows = session.execute(
        select(*Reconciliation.__table__.columns).where(Reconciliation.id.in_(newest))
    ).mappings()
    return {row["account_id"]: dict(row) for row in rows}


def keep_reconciliation(session: Session, **values: Any) -> None:
    """Keep what a reconciliation read and how many differences it found."""
    session.add(Reconciliation(**values))


def _has_no_end() -> ColumnElement[bool]:
    # One that is being collected again has its results.
    return and_(~intents.is_in(intents.ENDED), RequestSet.collected_at.is_(None))


def _counted(
    session: Session, account_ids: Collection[int] | None, *conditions: ColumnElement[bool]
) -> Counted:
    of_asked = [] if account_ids is None else [RequestSet.account_id.in_(account_ids)]
    # Only ids: an index has all that is asked for, and is read alone.
    ids = session.scalars(
        select(RequestSet.id)
        .where(*conditions, *of_asked)
        .order_by(RequestSet.id)
        .limit(COUNTED_MOST + 1)
    ).all()
    rows = session.execute(
        select(*_COLUMNS).where(RequestSet.id.in_(ids[:_SHOWN_MOST])).order_by(RequestSet.id)
    ).mappings()
    return Counted(
        min(len(ids), COUNTED_MOST),
        is_exact=len(ids) <= COUNTED_MOST,
        rows=[dict(row) for row in rows],
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    some = select(RequestSet.id).where(*conditions).limit(COUNTED_MOST).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def sets_between(
    session: Session, account_id: int, *, since: datetime, until: datetime
) -> list[Any]:
    """Return an account's intents of a time range, as far as a reconciliation looks at them."""
    return list(
        session.execute(
            select(
                RequestSet.id,
                RequestSet.facebook_id,
                RequestSet.state,
                RequestSet.spec_count,
                RequestSet.total_count,
                RequestSet.twin_of,
            ).where(
                RequestSet.account_id == account_id,
                RequestSet.created_at >= since,
                RequestSet.created_at < until,
            )
        )
    )


def known_intents(session: Session, request_set_ids: Collection[int]) -> dict[int, int | None]:
    """Return Facebook's ids of those of some intents that SQL has, None where it is not known."""
    found: dict[int, int | None] = {}
    ids = sorted(request_set_ids)
    for start in range(0, len(ids), 500):
        rows = session.execute(
            select(RequestSet.id, RequestSet.facebook_id).where(
                RequestSet.id.in_(ids[start : start + 500])
            )
        )
        found |= {row.id: row.facebook_id for row in rows}
    return found
