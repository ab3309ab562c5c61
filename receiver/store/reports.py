"""Statements that only read: sets, requests, notifications and looks for those who ask.

Lists are pages by key: newest first below an id, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.models import (
    Delivery,
    FoundSet,
    Look,
    Notification,
    Request,
    RequestSet,
    Submission,
)

_LARGE = ("ad_specs", "row_keys")
"""Up to megabytes a set: nothing that lists sets shows them."""

_SET_COLUMNS = [column for column in RequestSet.__table__.columns if column.name not in _LARGE]


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to. ``account_ids`` are those that the asker may see."""

    account_ids: Collection[int]
    states: Sequence[str] = ()
    verdicts: Sequence[str] = ()
    request_set_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """One page of a list: whether more follow is told by ``next_below``, the id to go on from."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    next_below: int | None = None


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


def holder_of(session: Session, facebook_id: int) -> int | None:
    """Return the intent that holds an id of Facebook's."""
    return session.execute(
        select(RequestSet.id).where(RequestSet.facebook_id == facebook_id)
    ).scalar_one_or_none()


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


def find_intent(
    session: Session, account_ids: Collection[int], *, request_set_id: int
) -> dict[str, Any] | None:
    """Return an intent with its ``submissions`` and ``found_sets``, if the asker may see it.

    More than one of ``found_sets`` means that Facebook has the set twice.
    """
    intent = (
        session.execute(
            select(*_SET_COLUMNS).where(
                RequestSet.id == request_set_id, RequestSet.account_id.in_(account_ids)
            )
        )
        .mappings()
        .one_or_none()
    )
    if intent is None:
        return None
    submissions = session.execute(
        select(*Submission.__table__.columns)
        .where(Submission.request_set_id == request_set_id)
        .order_by(Submission.attempt)
    ).mappings()
    found_sets = session.execute(
        select(FoundSet.facebook_id, FoundSet.attempt, FoundSet.found_at)
        .where(FoundSet.request_set_id == request_set_id)
        .order_by(FoundSet.found_at, FoundSet.facebook_id)
    ).mappings()
    return {
        **intent,
        "submissions": [dict(row) for row in submissions],
        "found_sets": [dict(row) for row in found_sets],
    }


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


def request_sets(session: Session, wanted: Filter, *, below: int | None, limit: int) -> Page:
    """List intents, newest first."""
    statement = _of_sets(select(*_SET_COLUMNS), wanted, RequestSet.id)
    statement = _judged(statement, wanted, RequestSet.verdict)
    statement = _between(statement, RequestSet.created_at, wanted)
    return _page(session, statement, RequestSet.id, below=below, limit=limit)


def notifications(session: Session, wanted: Filter, *, below: int | None, limit: int) -> Page:
    """List notifications of the asker's sets, newest first."""
    of_its_set = RequestSet.id == Notification.request_set_id
    statement = select(*Notification.__table__.columns).join(RequestSet, of_its_set)
    statement = _of_sets(statement, wanted, Notification.request_set_id)
    statement = _judged(statement, wanted, RequestSet.verdict)
    statement = _between(statement, Notification.received_at, wanted)
    return _page(session, statement, Notification.id, below=below, limit=limit)


def looks(session: Session, wanted: Filter, *, below: int | None, limit: int) -> Page:
    """List looks at the asker's sets, newest first."""
    of_its_set = RequestSet.id == Look.request_set_id
    statement = select(*Look.__table__.columns).join(RequestSet, of_its_set)
    statement = _of_sets(statement, wanted, Look.request_set_id)
    statement = _judged(statement, wanted, Look.verdict)
    statement = _between(statement, Look.started_at, wanted)
    return _page(session, statement, Look.id, below=below, limit=limit)


def _of_sets(statement: Select[Any], wanted: Filter, request_set_id: Any) -> Select[Any]:
    statement = statement.where(RequestSet.account_id.in_(wanted.account_ids))
    if wanted.states:
        statement = statement.where(RequestSet.state.in_(wanted.states))
    if wanted.request_set_id is not None:
        statement = statement.where(request_set_id == wanted.request_set_id)
    return statement


def _judged(statement: Select[Any], wanted: Filter, verdict: Any) -> Select[Any]:
    return statement.where(verdict.in_(wanted.verdicts)) if wanted.verdicts else statement


def _between(statement: Select[Any], moment: Any, wanted: Filter) -> Select[Any]:
    if wanted.since is not None:
        statement = statement.where(moment >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(moment < wanted.until)
    return statement


def _page(
    session: Session, statement: Select[Any], key: Any, *, below: int | None, limit: int
) -> Page:
    if below is not None:
        statement = statement.where(key < below)
    found = session.execute(statement.order_by(key.desc()).limit(limit + 1)).mappings().all()
    shown = found[:limit]
    return Page(
        rows=[dict(row) for row in shown],
        next_below=shown[-1]["id"] if len(found) > limit else None,
    )
