"""Statements on the requests of a set: the bulk upsert, and how much of a set is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import is_final, is_known
from receiver.graph.wire import RequestReading
from receiver.store import request_rows
from receiver.store.database import is_away
from receiver.store.models import Request, RequestSet
from receiver.store.request_rows import COLUMNS, Row


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


@dataclass(frozen=True)
class ReadPage:
    """Readings of a set's requests, and when Facebook was asked for them."""

    request_set_id: int
    account_id: int
    readings: Sequence[RequestReading]
    read_at: datetime


def upsert(session: Session, pages: Sequence[ReadPage]) -> dict[int, list[int]]:
    """Write pages of some sets; return by set the ids of the rows that the database refused.

    Running it twice changes nothing, and rows only move forward (``request_rows``), so pages may be
    written in any order. A bulk that fails is split until the bad row stands alone.
    """
    refused: dict[int, list[int]] = {}
    for row in _write_splitting(session, [row for page in pages for row in _rows(page)]):
        refused.setdefault(row[_SET], []).append(row[_ID])
    return refused


_OF_PAGE = ("request_set_id", "account_id", "read_at", "is_final")
_in_order = itemgetter(*map((*RequestReading._fields, *_OF_PAGE).index, COLUMNS))
"""What brings a reading's values, and those of its page behind them, into the order of a row."""
_ID, _SET = COLUMNS.index("id"), COLUMNS.index("request_set_id")


def _rows(page: ReadPage) -> Iterator[Row]:
    of_page = (page.request_set_id, page.account_id, page.read_at)
    for reading in page.readings:
        yield _in_order((*reading, *of_page, is_final(reading.status)))


def progress(session: Session, request_set_ids: Collection[int]) -> dict[int, Progress]:
    """Count the requests of some sets, by their ids."""
    counted = session.execute(
        select(Request.request_set_id, Request.is_final, Request.status, func.count())
        .where(Request.request_set_id.in_(request_set_ids))
        .group_by(Request.request_set_id, Request.is_final, Request.status)
        .order_by(Request.status)
    ).all()
    final, others = dict.fromkeys(request_set_ids, 0), dict.fromkeys(request_set_ids, 0)
    waiting: dict[int, list[str]] = {each: [] for each in request_set_ids}
    for request_set_id, has_ended, status, count in counted:
        (final if has_ended else others)[request_set_id] += count
        waiting[request_set_id] += [] if has_ended else [status]
    return {
        each: Progress(
            final[each] + others[each], final=final[each], unknown_statuses=_unknown(waiting[each])
        )
        for each in request_set_ids
    }


def _unknown(statuses: Sequence[str]) -> tuple[str, ...]:
    """Return the statuses of what is not final, if nobody has seen any of them before."""
    return () if any(map(is_known, statuses)) else tuple(statuses)


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


def _write_splitting(session: Session, rows: list[Row]) -> list[Row]:
    """Write rows and return those that the database refuses."""
    if not rows:
        return []
    try:
        with session.begin_nested():
            request_rows.write(session, rows)
    except (DBAPIError, StatementError, OverflowError, UnicodeEncodeError) as error:
        if is_away(error):
            # That is no fault of a row.
            raise
        if len(rows) == 1:
            return rows
        middle = len(rows) // 2
        return _write_splitting(session, rows[:middle]) + _write_splitting(session, rows[middle:])
    return []
