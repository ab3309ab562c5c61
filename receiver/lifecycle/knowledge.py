"""What is known of an account when its sets are looked at: its experience and its habits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from receiver.graph.errors import is_too_much
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.lifecycle.experience import KEPT, Experience, Past, learn
from receiver.lifecycle.look_plan import remembered
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.verdict import FAILED, LOST, PENDING
from receiver.store import experience
from receiver.store.claims import Claim
from receiver.store.database import Session
from receiver.store.experience import CompleteSet

SHORTEST_ON_TRIAL = 25
"""An account asks for shorter pages than this only once such a page was answered.

Facebook may be out of order for an hour, or never answer for one set: after that, each page of the
others would cost a point.
"""


@dataclass
class Knowledge:
    """``page_limit``: how many requests a page may hold, None for as many as Facebook allows.

    ``longest_page``: how many it might at the most of those that were answered in this look.
    """

    experience: Experience
    page_limit: int | None
    sweep_pages: float | None
    longest_page: int = 0

    @property
    def rows_a_page(self) -> int:
        """How many requests a page of the account may have."""
        return self.page_limit or MAX_PAGE_LIMIT

    def is_past_usual(self, claim: Claim, *, now: datetime) -> bool:
        """Tell whether sets of its size are usually complete at the age of a set."""
        if claim.opened_at is None:
            return False
        age_seconds = (now - claim.opened_at).total_seconds()
        return self.experience.is_past_usual(claim.spec_count, age_seconds=age_seconds)

    def after_sweep(self, pages: int) -> float:
        """Return how many pages sweeps take, with one more."""
        return remembered(self.sweep_pages, pages)


def of_account(tools: Tools, account_id: int) -> Knowledge:
    """Read what is known of an account. Raises DatabaseAway."""
    with tools.database.reading() as session:
        habits = experience.habits(session, account_id)
    learned = learned_of(tools, account_id)
    return Knowledge(learned, page_limit=habits.page_limit, sweep_pages=habits.sweep_pages)


def learned_of(tools: Tools, account_id: int) -> Experience:
    """Learn from an account's newest complete sets. Raises DatabaseAway."""
    with tools.database.reading() as session:
        newest = experience.newest(session, account_id, limit=KEPT)
    return learn(map(_past, newest))


@dataclass(frozen=True)
class Losses:
    """Of how many of an account's last complete sets which share lost its notification."""

    rate: float
    count: int


def losses_of_each(session: Session, account_ids: Collection[int]) -> dict[int, Losses]:
    """Say how many notifications each of some accounts loses, as its experience does."""
    counted = experience.verdicts_of_each(session, account_ids, limit=KEPT)
    return {account_id: _losses(verdicts) for account_id, verdicts in counted.items()}


def _losses(verdicts: Mapping[str, int]) -> Losses:
    count = sum(verdicts.values())
    lost = sum(verdicts.get(verdict, 0) for verdict in (LOST, FAILED))
    decided = count - verdicts.get(PENDING, 0)
    return Losses(lost / decided if decided else 0.0, count)


def _past(one: CompleteSet) -> Past:
    seconds = (one.completed_at - one.opened_at).total_seconds()
    return Past(one.spec_count, seconds=seconds, verdict=one.verdict)


def halve_page(
    tools: Tools, account_id: int, answers: Collection[object], *, known: Knowledge
) -> None:
    """Ask for half as many requests a page from now on, where each of some answers was too much.

    Where only some are, their sets differ from the account's others. Raises DatabaseAway.
    """
    if not answers or not all(map(is_too_much, answers)):
        return
    halved = max(SHORTEST_ON_TRIAL, known.rows_a_page // 2)
    shorten_page(tools, account_id, halved, known=known)


def shorten_page(tools: Tools, account_id: int, page_limit: int, *, known: Knowledge) -> None:
    """Ask for no more requests a page than this from now on. Raises DatabaseAway."""
    if page_limit < known.rows_a_page:
        _keep(tools, account_id, known, page_limit)


def grow_page(tools: Tools, account_id: int, *, known: Knowledge) -> None:
    """Ask for twice as many again, after pages that went well. Raises DatabaseAway."""
    if known.page_limit is not None:
        doubled = 2 * known.page_limit
        _keep(tools, account_id, known, doubled if doubled < MAX_PAGE_LIMIT else None)


def _keep(tools: Tools, account_id: int, known: Knowledge, page_limit: int | None) -> None:
    known.page_limit = page_limit
    with tools.database.writing() as session:
        experience.keep_page_limit(session, account_id, page_limit=page_limit)
