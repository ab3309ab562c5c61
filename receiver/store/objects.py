"""Statements on which account an object at Facebook belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from receiver.store.models import GraphObject, Request, RequestSet


def accounts_of(session: Session, object_ids: Collection[int]) -> dict[int, int]:
    """Return the accounts of those of the objects that we know: read once, or made by our sets."""
    known: dict[int, int] = {}
    for find in (_read, _sets, _requests, _made, _scopes):
        missing = [each for each in object_ids if each not in known]
        if missing:
            known |= find(session, missing)
    return known


def remember(session: Session, accounts: Mapping[int, int], *, now: datetime) -> None:
    """Keep the accounts of objects: an object never moves to another one."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    rows = [
        {"id": object_id, "account_id": account_id, "read_at": now}
        for object_id, account_id in accounts.items()
    ]
    if rows:
        session.execute(insert(GraphObject).on_conflict_do_nothing(), rows)


def _read(session: Session, ids: Collection[int]) -> dict[int, int]:
    statement = select(GraphObject.id, GraphObject.account_id).where(GraphObject.id.in_(ids))
    return _pairs(session, statement)


def _sets(session: Session, ids: Collection[int]) -> dict[int, int]:
    statement = select(RequestSet.facebook_id, RequestSet.account_id)
    return _pairs(session, statement.where(RequestSet.facebook_id.in_(ids)))


def _requests(session: Session, ids: Collection[int]) -> dict[int, int]:
    return _pairs(session, _of_requests(Request.id, ids))


def _made(session: Session, ids: Collection[int]) -> dict[int, int]:
    return _pairs(session, _of_requests(Request.created_object_id, ids))


def _scopes(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Parents that Facebook itself took an account's ads into."""
    statement = _of_requests(Request.scope_object_id, ids).where(
        Request.created_object_id.is_not(None)
    )
    return _pairs(session, statement.distinct())


def _of_requests(column: Any, ids: Collection[int]) -> Any:
    return (
        select(column, RequestSet.account_id)
        .join(RequestSet, RequestSet.id == Request.request_set_id)
        .where(column.in_(ids))
    )


def _pairs(session: Session, statement: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(statement)}
