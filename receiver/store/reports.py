"""Statements that only read: the sets and requests that callers ask for, and their deliveries."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.models import (
    Delivery,
    Request,
    RequestSet,
)


def find_set(
    session: Session, account_ids: Collection[int], *, facebook_id: int
) -> RequestSet | None:
    """Return the set that Facebook knows under this id, if the asker may see it."""
    return session.execute(
        select(RequestSet).where(
            RequestSet.facebook_id == facebook_id, RequestSet.account_id.in_(account_ids)
        )
    ).scalar_one_or_none()


def find_row(session: Session, request_set_id: int) -> RequestSet | None:
    """Return an intent by its own number."""
    return session.get(RequestSet, request_set_id)


def known_numbers(session: Session, numbers: Collection[int]) -> set[int]:
    """Return those of some numbers that are a set's."""
    return set(session.scalars(select(RequestSet.id).where(RequestSet.id.in_(numbers))))


def find_sets(
    session: Session, account_ids: Collection[int], *, facebook_ids: Collection[int]
) -> dict[int, RequestSet]:
    """Return those of the sets that are ours and that the asker may see, by Facebook's ids."""
    rows = session.execute(
        select(RequestSet).where(
            RequestSet.facebook_id.in_(facebook_ids), RequestSet.account_id.in_(account_ids)
        )
    ).scalars()
    return {row.facebook_id: row for row in rows if row.facebook_id is not None}


def find_requests(
    session: Session, account_ids: Collection[int], *, ids: Collection[int]
) -> dict[int, tuple[Request, RequestSet]]:
    """Return those of the requests that are of our sets and that the asker may see."""
    rows = session.execute(
        select(Request, RequestSet)
        .join(RequestSet, RequestSet.id == Request.request_set_id)
        .where(Request.id.in_(ids), RequestSet.account_id.in_(account_ids))
    ).all()
    return {row.Request.id: (row.Request, row.RequestSet) for row in rows}


def deliveries_of(session: Session, request_set_ids: Collection[int]) -> dict[int, Delivery]:
    """Return the sets' deliveries to their callers, by the sets' ids."""
    rows = session.execute(
        select(Delivery).where(Delivery.request_set_id.in_(request_set_ids))
    ).scalars()
    return {row.request_set_id: row for row in rows}


def sets_at_work(
    session: Session, account_id: int, *, edges: Collection[str], limit: int
) -> list[RequestSet]:
    """Return an account's newest sets that Facebook has and that are not collected yet."""
    rows = session.execute(
        select(RequestSet)
        .where(
            RequestSet.account_id == account_id,
            RequestSet.edge.in_(edges),
            RequestSet.state.in_((intents.OPEN, intents.COMPLETED)),
        )
        .order_by(RequestSet.id.desc())
        .limit(limit)
    ).scalars()
    return list(rows)


def sets_at_work_on(
    session: Session, scope_object_id: int, *, account_ids: Collection[int], limit: int
) -> list[RequestSet]:
    """Return the newest of those sets that have a request for an object's ads."""
    rows = session.execute(
        select(RequestSet)
        .where(
            RequestSet.account_id.in_(account_ids),
            RequestSet.state.in_((intents.OPEN, intents.COMPLETED)),
            RequestSet.id.in_(
                select(Request.request_set_id).where(Request.scope_object_id == scope_object_id)
            ),
        )
        .order_by(RequestSet.id.desc())
        .limit(limit)
    ).scalars()
    return list(rows)


def count_requests(
    session: Session, request_set_id: int, *, statuses: Collection[str] | None
) -> int:
    """Count the requests of a set, those with the statuses asked for."""
    statement = select(func.count()).where(Request.request_set_id == request_set_id)
    if statuses is not None:
        statement = statement.where(func.upper(Request.status).in_(statuses))
    return session.execute(statement).scalar_one()


def requests_of(
    session: Session,
    request_set_id: int,
    *,
    after: int | None,
    before: int | None,
    limit: int,
    statuses: Collection[str] | None = None,
) -> list[Request]:
    """Return up to ``limit`` requests of a set in the order of their ids, beside a cursor.

    ``statuses`` in upper case choose among them, in whatever case Facebook wrote theirs.
    """
    statement = select(Request).where(Request.request_set_id == request_set_id)
    if statuses is not None:
        statement = statement.where(func.upper(Request.status).in_(statuses))
    if before is not None:
        rows = session.execute(
            statement.where(Request.id < before).order_by(Request.id.desc()).limit(limit)
        ).scalars()
        return list(rows)[::-1]
    if after is not None:
        statement = statement.where(Request.id > after)
    return list(session.execute(statement.order_by(Request.id).limit(limit)).scalars())
