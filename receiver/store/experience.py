"""Statements on what an account's sets were like, and on what its readings took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from receiver.store.models import Account, RequestSet


@dataclass(frozen=True)
class CompleteSet:
    """How long a set took, as far as we saw it, and what became of its notification."""

    spec_count: int
    opened_at: datetime
    completed_at: datetime
    verdict: str


def newest(session: Session, account_id: int, *, limit: int) -> list[CompleteSet]:
    """Return those of an account's newest sets that are complete."""
    rows = session.execute(
        select(
            RequestSet.spec_count,
            RequestSet.opened_at,
            RequestSet.completed_at,
            RequestSet.verdict,
        )
        .where(RequestSet.account_id == account_id, RequestSet.completed_at.is_not(None))
        .order_by(RequestSet.id.desc())
        .limit(limit)
    )
    return [
        CompleteSet(row.spec_count, row.opened_at, row.completed_at, row.verdict)
        for row in rows
        if row.opened_at is not None
    ]


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


def keep_page_limit(session: Session, account_id: int, *, page_limit: int | None) -> None:
    """Write how many requests a page of an account may hold; None for as many as may be."""
    session.execute(update(Account).where(Account.id == account_id).values(page_limit=page_limit))


def keep_sweep_pages(session: Session, account_id: int, *, sweep_pages: float) -> None:
    """Write how many pages an account's sweeps take."""
    session.execute(update(Account).where(Account.id == account_id).values(sweep_pages=sweep_pages))
