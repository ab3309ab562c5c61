"""Statements on the requests of a set: the bulk upsert, and how much of a set is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import is_final, is_known
from receiver.graph.wire import RequestReading
from receiver.store.models import Request, RequestSet


@dataclass(frozen=True)
class Progress:
    """How many requests of a set are in SQL, and how many of them are final.

    ``unknown_statuses`` are those of the others if nobody has seen any of them before.
    """

    rows: int
    final: int
    unknown_statuses: tuple[str, ...] = ()

    @property
    def is_odd(self) -> bool:
        """Whether what is not final has statuses that nobody has seen before, and no other."""
        return bool(self.unknown_statuses)

    @property
    def odd(self) -> str:
        """The unknown statuses in words, for the end of a sentence."""
        return f": nobody knows {', '.join(self.unknown_statuses)}" if self.is_odd else ""


def upsert(
    session: Session,
    request_set_id: int,
    readings: Sequence[RequestReading],
    *,
    account_id: int,
    read_at: datetime,
) -> list[int]:
    """Write one page of readings and return the ids of the rows that the database refused.

    Running it twice changes nothing, and rows only move forward: never from a final status to
    another, from a result to none, from a newer reading to an older, or from one set to another.
    So readings may be written in any order. A bulk that fails is split until the bad row stands
    alone.
    """
    of_set = {"request_set_id": request_set_id, "account_id": account_id, "read_at": read_at}
    rows = [
        {**vars(reading), **of_set, "is_final": is_final(reading.status)} for reading in readings
    ]
    return _upsert_splitting(session, rows)


def progress(session: Session, request_set_id: int) -> Progress:
    """Count the requests of a set."""
    rows, final = session.execute(
        select(
            func.count(), func.coalesce(func.sum(case((Request.is_final, 1), else_=0)), 0)
        ).where(Request.request_set_id == request_set_id)
    ).one()
    return Progress(rows, final=final, unknown_statuses=_unknown(session, request_set_id))


def _unknown(session: Session, request_set_id: int) -> tuple[str, ...]:
    """Return the statuses of what is not final, if nobody has seen any of them before."""
    statuses = session.scalars(
        select(Request.status)
        .where(Request.request_set_id == request_set_id, ~Request.is_final)
        .distinct()
        .order_by(Request.status)
    ).all()
    is_any_known = any(is_known(status) for status in statuses)
    return () if is_any_known else tuple(statuses)


def newest_reading(session: Session, request_set_id: int) -> datetime | None:
    """Return when requests of a set were last read, None for never."""
    return session.execute(
        select(func.max(Request.read_at)).where(Request.request_set_id == request_set_id)
    ).scalar_one()


def is_any_without_account(session: Session) -> bool:
    """Tell whether there is a request that ``fill_accounts`` would fill."""
    nameless = select(Request.id).where(Request.account_id.is_(None)).limit(1)
    return session.execute(nameless).first() is not None


def fill_accounts(session: Session, *, limit: int = 1000) -> int:
    """Write the account on requests that a version before 0.2 wrote. Returns on how many."""
    nameless = (
        select(Request.id).where(Request.account_id.is_(None)).order_by(Request.id).limit(limit)
    )
    of_its_set = RequestSet.id == Request.request_set_id
    account_id = select(RequestSet.account_id).where(of_its_set).correlate(Request)
    filled = session.execute(
        update(Request)
        .where(Request.id.in_(nameless.scalar_subquery()))
        .values(account_id=account_id.scalar_subquery())
        .returning(Request.id)
    )
    return len(filled.all())


def _upsert_splitting(session: Session, rows: list[dict[str, Any]]) -> list[int]:
    if not rows:
        return []
    try:
        with session.begin_nested():
            session.execute(_statement(session), rows)
    except OperationalError:
        # The database is away or locked: that is no fault of a row.
        raise
    except (DBAPIError, StatementError, OverflowError, UnicodeEncodeError):
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
            "status": case((_goes_first(new), new.status), else_=Request.status),
            "is_final": Request.is_final | new.is_final,
            **{name: _filled(name, new) for name in _FILLED},
            "read_at": case((_goes_first(new), new.read_at), else_=Request.read_at),
        },
        where=Request.request_set_id == new.request_set_id,
    )


_FILLED = (
    "account_id",
    "scope_object_id",
    "type",
    "input",
    "result",
    "created_object_id",
    "error_code",
    "error_message",
    "created_time",
    "updated_time",
)
"""What one reading shows and another may not."""


def _goes_first(new: Any) -> ColumnElement[bool]:
    """Whether the new reading counts for more than what is there.

    A final one counts for more than one that is not, however old it is: what is final does not
    change, and a newer answer that shows less came from a server that lags. Among others the newer
    one counts for more; among final ones, the first.
    """
    return and_(~Request.is_final, or_(new.is_final, Request.read_at <= new.read_at))


def _filled(name: str, new: Any) -> ColumnElement[Any]:
    """What counts for more, and in its place what is known at all."""
    old, newer = Request.__table__.c[name], new[name]
    return case((_goes_first(new), func.coalesce(newer, old)), else_=func.coalesce(old, newer))
