"""Statements on what an account's sets were like, and on what its readings took."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, union_all, update
from sqlalchemy.orm import Session

from receiver.store.models import Account, RequestSet

_ACCOUNTS_A_STATEMENT = 64
"""SQLite takes 500 parts of a compound statement at the most."""


@dataclass(frozen=True)
class CompleteSet:
    """How long a set took, as far as we saw it, and what became of its notification."""

    spec_count: int
    opened_at: datetime
    completed_at: datetime
    verdict: str


def newest(session: Session, account_id: int, *, limit: int) -> list[CompleteSet]:
    """Return those of an account's sets that were complete last."""
    rows = session.execute(_newest(account_id, limit=limit))
    return [_complete_set(row) for row in rows if row.opened_at is not None]


_SHOWN: Sequence[Any] = (
    RequestSet.spec_count,
    RequestSet.opened_at,
    RequestSet.completed_at,
    RequestSet.verdict,
)


def _newest(account_id: int, *, limit: int) -> Select[Any]:
    return (
        select(*_SHOWN)
        .where(RequestSet.account_id == account_id, RequestSet.completed_at.is_not(None))
        # Ordered by its id, PostgreSQL may walk the primary key for a silent account's last sets.
        .order_by(RequestSet.completed_at.desc(), RequestSet.id.desc())
        .limit(limit)
    )


def _complete_set(row: Any) -> CompleteSet:
    return CompleteSet(row.spec_count, row.opened_at, row.completed_at, row.verdict)


def verdicts_of_each(
    session: Session, account_ids: Collection[int], *, limit: int
) -> dict[int, dict[str, int]]:
    """Count those of some accounts' sets that were complete last by their verdicts."""
    found: dict[int, dict[str, int]] = {account_id: {} for account_id in account_ids}
    ids = sorted(account_ids)
    for start in range(0, len(ids), _ACCOUNTS_A_STATEMENT):
        some = ids[start : start + _ACCOUNTS_A_STATEMENT]
        for account_id, verdict, count in session.execute(_verdicts(some, limit=limit)):
            found[account_id][verdict] = count
    return found


def _verdicts(account_ids: Sequence[int], *, limit: int) -> Select[Any]:
    of_each = [
        _newest(account_id, limit=limit).add_columns(RequestSet.account_id).subquery()
        for account_id in account_ids
    ]
    newest = union_all(*(select(one) for one in of_each)).subquery().c
    key: Sequence[Any] = (newest.account_id, newest.verdict)
    return select(*key, func.count()).where(newest.opened_at.is_not(None)).group_by(*key)


@dataclass(frozen=True)
class Habits:
    """What readings of an account took: requests a page at the most, pages of a sweep."""

    page_limit: int | None
    sweep_pages: float | None


def habits(session: Session, account_id: int) -> Habits:
    """Return what is remembered of an account's readings."""
    row = session.execute(
        select(Account.page_limit, Account.sweep_pages).where(Account.id == account_id)
    ).one()
    return Habits(row.page_limit, sweep_pages=row.sweep_pages)


def page_limits(session: Session, account_ids: Collection[int]) -> dict[int, int | None]:
    """Return how many requests a page of each account may hold; None for as many as may be."""
    rows = session.execute(
        select(Account.id, Account.page_limit).where(Account.id.in_(account_ids))
    )
    return {row.id: row.page_limit for row in rows}


def keep_page_limit(session: Session, account_id: int, *, page_limit: int | None) -> None:
    """Write how many requests a page of an account may hold; None for as many as may be."""
    session.execute(update(Account).where(Account.id == account_id).values(page_limit=page_limit))


def keep_sweep_pages(session: Session, account_id: int, *, sweep_pages: float) -> None:
    """Write how many pages an account's sweeps take."""
    session.execute(update(Account).where(Account.id == account_id).values(sweep_pages=sweep_pages))
