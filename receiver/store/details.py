"""Statements on one row with all that belongs to it, for those who may see it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from receiver.store.lists.request_sets import COLUMNS
from receiver.store.models import (
    Delivery,
    DeliveryAttempt,
    FoundSet,
    Notification,
    Request,
    RequestSet,
    Submission,
)

Row = dict[str, Any]

_CHILDREN_MOST = 100


def request_set(session: Session, number: int, *, account_ids: Collection[int]) -> Row | None:
    """Return an intent with its ``submissions``, ``found_sets``, ``children`` and ``errors``.

    More than one of ``found_sets`` means that Facebook has the set twice; ``children`` are the
    newest sets that sent failed requests of it again; ``errors`` counts its requests by code.
    """
    is_meant = (RequestSet.id == number, RequestSet.account_id.in_(account_ids))
    found = session.execute(select(*COLUMNS).where(*is_meant)).mappings().one_or_none()
    if found is None:
        return None
    return {
        **found,
        "submissions": _rows(session, Submission, number, order=Submission.attempt),
        "found_sets": _rows(session, FoundSet, number, order=FoundSet.found_at),
        "children": list(
            session.scalars(
                select(RequestSet.id)
                .where(RequestSet.parent_id == number)
                .order_by(RequestSet.id.desc())
                .limit(_CHILDREN_MOST)
            )
        ),
        "errors": errors_of(session, number),
    }


def errors_of(session: Session, number: int) -> list[Row]:
    """Count a set's failed requests by their codes, the most frequent first.

    The code is None of those that failed and carry none.
    """
    counted = func.count().label("requests")
    rows = session.execute(
        select(Request.error_code, counted)
        .where(Request.request_set_id == number, has_failed())
        .group_by(Request.error_code)
        .order_by(counted.desc(), Request.error_code.nulls_last())
    ).mappings()
    return [dict(row) for row in rows]


def has_failed() -> ColumnElement[bool]:
    """Whether a request has failed, with a code or without one."""
    return Request.error_code.is_not(None) | func.upper(Request.status).startswith("ERROR")


def _rows(session: Session, model: Any, number: int, *, order: Any) -> list[Row]:
    rows = session.execute(
        select(*model.__table__.columns).where(model.request_set_id == number).order_by(order)
    ).mappings()
    return [dict(row) for row in rows]


def notification(session: Session, number: int, *, account_ids: Collection[int]) -> Row | None:
    """Return a notification of a set that the asker may see."""
    return _one(
        session,
        select(*Notification.__table__.columns)
        .join(RequestSet, RequestSet.id == Notification.request_set_id)
        .where(Notification.id == number, RequestSet.account_id.in_(account_ids)),
    )


def delivery(session: Session, number: int, *, account_ids: Collection[int]) -> Row | None:
    """Return a delivery with the attempts that were ``made``, the first one first."""
    found = _one(
        session,
        select(*Delivery.__table__.columns)
        .join(RequestSet, RequestSet.id == Delivery.request_set_id)
        .where(Delivery.id == number, RequestSet.account_id.in_(account_ids)),
    )
    if found is None:
        return None
    made = session.execute(
        select(*DeliveryAttempt.__table__.columns)
        .where(DeliveryAttempt.delivery_id == number)
        .order_by(DeliveryAttempt.number)
    ).mappings()
    return {**found, "made": [dict(row) for row in made]}


def _one(session: Session, statement: Any) -> Row | None:
    row = session.execute(statement).mappings().one_or_none()
    return None if row is None else dict(row)
