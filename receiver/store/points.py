"""Statements on what an account's calls have cost: one row, shared by all processes.

A change of the score is made on the version that was read (compare and swap): whoever was slower
reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from receiver.graph.score import Score, read_score, write_score
from receiver.store.models import Account, Credential


@dataclass(frozen=True)
class Ledger:
    """What is known of the limits that an account's calls run into."""

    score: Score
    version: int
    app_percent: float | None
    app_percent_at: datetime | None


def read(session: Session, account_id: int) -> Ledger:
    """Return an account's ledger, with what is known of its app."""
    return read_all(session, [account_id])[account_id]


def read_all(session: Session, account_ids: Collection[int]) -> dict[int, Ledger]:
    """Return the ledgers of some accounts, by their ids."""
    rows = session.execute(
        select(
            Account.id,
            Account.score_slots,
            Account.score_version,
            Account.tier,
            Credential.app_percent,
            Credential.app_percent_at,
        )
        .join(Credential, Credential.id == Account.credential_id)
        .where(Account.id.in_(account_ids))
    )
    return {row.id: _ledger(row) for row in rows}


def _ledger(row: Any) -> Ledger:
    return Ledger(
        read_score(row.score_slots, tier=row.tier),
        version=row.score_version,
        app_percent=row.app_percent,
        app_percent_at=row.app_percent_at,
    )


def swap(session: Session, account_id: int, *, version: int, score: Score) -> bool:
    """Write a score that was made from this version; False where somebody was faster."""
    written = session.execute(
        update(Account)
        .where(Account.id == account_id, Account.score_version == version)
        .values(score_slots=write_score(score), score_version=version + 1, tier=score.tier)
        .returning(Account.id)
    ).first()
    return written is not None


def change(session: Session, account_id: int, make: Callable[[Ledger], Score | None]) -> None:
    """Change an account's score, however many try at once; None from ``make`` changes nothing.

    What ``make`` raises ends it without a change.
    """
    while True:
        ledger = read(session, account_id)
        score = make(ledger)
        if score is None or swap(session, account_id, version=ledger.version, score=score):
            return


def note_app(session: Session, account_id: int, *, percent: float, now: datetime) -> None:
    """Write how much of an account's app's calls a header says are used."""
    of_account = select(Account.credential_id).where(Account.id == account_id)
    session.execute(
        update(Credential)
        .where(Credential.id.in_(of_account))
        .values(app_percent=percent, app_percent_at=now)
    )
