"""How accounts are: what each may spend, what it waits for, which notifications it loses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from receiver.graph.score import Score
from receiver.lifecycle import knowledge
from receiver.lifecycle.knowledge import Losses
from receiver.lifecycle.shares import Purpose, Shares
from receiver.lifecycle.tools import Tools
from receiver.store import accounts, experience, points, waits
from receiver.store.points import Ledger
from receiver.store.waits import Wait

OK, WAITING, PARKED = "ok", "waiting", "parked"


@dataclass(frozen=True)
class AccountHealth:
    """An account at one moment.

    ``health`` is ``ok``, ``waiting`` (Facebook asked to, until ``resume_at``) or ``parked`` (only
    a person ends it, for the ``reason``). ``points_left`` is what each kind of call may spend.
    """

    account_id: int
    health: str
    reason: str | None
    resume_at: datetime | None
    tier: str | None
    score: float
    score_limit: float
    score_percent: float
    points_left: dict[str, float]
    app_percent: float | None
    app_percent_at: datetime | None
    loss_rate: float
    sets_learned_from: int
    page_limit: int | None
    created_at: datetime


def of_accounts(tools: Tools, account_ids: Collection[int]) -> list[AccountHealth]:
    """Return how some accounts are, in the order of their ids. Raises DatabaseAway.

    However many they are, it takes a few statements.
    """
    now = tools.now()
    with tools.database.reading() as session:
        known = _Known(
            ledgers=points.read_all(session, account_ids),
            waiting=waits.of_accounts(session, account_ids, now=now),
            losses=knowledge.losses_of_each(session, account_ids),
            page_limits=experience.page_limits(session, account_ids),
            created_at=accounts.created_at(session, account_ids),
        )
    return [known.health(each, tools.shares, now=now) for each in sorted(account_ids)]


@dataclass(frozen=True)
class _Known:
    """What is known of some accounts, by their ids."""

    ledgers: dict[int, Ledger]
    waiting: dict[int, Wait]
    losses: dict[int, Losses]
    page_limits: dict[int, int | None]
    created_at: dict[int, datetime]

    def health(self, account_id: int, shares: Shares, *, now: datetime) -> AccountHealth:
        """Say how one of them is."""
        ledger, losses = self.ledgers[account_id], self.losses[account_id]
        wait, score = self.waiting.get(account_id), ledger.score
        return AccountHealth(
            account_id=account_id,
            health=_word(wait),
            reason=_reason(wait),
            resume_at=None if wait is None or wait.parked_reason else wait.resume_at,
            tier=score.tier,
            score=round(score.at(now), 1),
            score_limit=score.limit,
            score_percent=round(score.percent(now), 1),
            points_left=_points_left(score, shares, now=now),
            loss_rate=round(losses.rate, 3),
            sets_learned_from=losses.count,
            page_limit=self.page_limits[account_id],
            app_percent=ledger.app_percent,
            app_percent_at=ledger.app_percent_at,
            created_at=self.created_at[account_id],
        )


def _word(wait: Wait | None) -> str:
    if wait is None:
        return OK
    return PARKED if wait.parked_reason else WAITING


def _reason(wait: Wait | None) -> str | None:
    if wait is None:
        return None
    return wait.parked_reason or "Facebook asked to wait."


def _points_left(score: Score, shares: Shares, *, now: datetime) -> dict[str, float]:
    """How many points each kind of call may spend before it waits."""
    used = score.at(now)
    most = {purpose.value: score.limit * shares.of(purpose) / 100 for purpose in Purpose}
    return {purpose: round(max(0.0, limit - used), 1) for purpose, limit in most.items()}
