"""Statements on the requests of a set: the bulk upsert, and how much of a set is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import is_final
from receiver.graph.wire import RequestReading
from receiver.store.models import Request


@dataclass(frozen=True)
class Progress:
    """How many requests of a set are in SQL, and how many of them are final."""

    rows: int
    final: int


def upsert(
    session: Session, request_set_id: int, readings: Sequence[RequestReading], *, read_at: datetime
) -> list[int]:
    """Write one page of readings and return the ids of the rows that the database refused.

    Running it twice changes nothing, and rows only move forward: never from a final status to
    another, from a result to none, from a newer reading to an older, or from one set to another.
    A bulk that fails is split until the bad row stands alone.
    """
    rows = [_row(request_set_id, reading, read_at=read_at) for reading in readings]
    return _upsert_splitting(session, list({row["id"]: row for row in rows}.values()))


def progress(session: Session, request_set_id: int) -> Progress:
    """Count the requests of a set."""
    rows, final = session.execute(
        select(
            func.count(), func.coalesce(func.sum(case((Request.is_final, 1), else_=0)), 0)
        ).where(Request.request_set_id == request_set_id)
    ).one()
    return Progress(rows=rows, final=final)


def _row(request_set_id: int, reading: RequestReading, *, read_at: datetime) -> dict[str, Any]:
    return {
        **vars(reading),
        "request_set_id": request_set_id,
        "is_final": is_final(reading.status),
        "read_at": read_at,
    }


def _upsert_splitting(session: Session, rows: list[dict[str, Any]]) -> list[int]:
    if not rows:
        return []
    try:
        with session.begin_nested():
            session.execute(_statement(session), rows)
    except OperationalError:
        # The database is away or locked: that is no fault of a row.
        raise
    except (DBAPIError, StatementError, OverflowError):
        if len(rows) == 1:
            return [rows[0]["id"]]
        middle = len(rows) // 2
        return _upsert_splitting(session, rows[:middle]) + _upsert_splitting(session, rows[middle:])
    return []


def _statement(session: Session) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement: Any = sqlite.insert(Request) if is_sqlite else postgresql.insert(Request)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[Request.id],
        set_={
            "scope_object_id": func.coalesce(new.scope_object_id, Request.scope_object_id),
            "status": case((Request.is_final, Request.status), else_=new.status),
            "is_final": Request.is_final | new.is_final,
            "type": func.coalesce(new.type, Request.type),
            "input": func.coalesce(new.input, Request.input),
            "result": _forward(Request.result, new.result),
            "created_object_id": _forward(Request.created_object_id, new.created_object_id),
            "error_code": _forward(Request.error_code, new.error_code),
            "error_message": _forward(Request.error_message, new.error_message),
            "created_time": func.coalesce(new.created_time, Request.created_time),
            "updated_time": func.coalesce(new.updated_time, Request.updated_time),
            "read_at": new.read_at,
        },
        where=(Request.request_set_id == new.request_set_id) & (Request.read_at <= new.read_at),
    )


def _forward(old: Any, new: ColumnElement[Any]) -> ColumnElement[Any]:
    """The newer value, but a final request keeps what it has."""
    return case((Request.is_final, func.coalesce(old, new)), else_=func.coalesce(new, old))
