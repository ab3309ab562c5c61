"""Reserve what a call costs before it is made, and correct the ledger by what its answer says.

Facebook blocks an account whose score is full, and calling while blocked lengthens the block. So
each kind of work stops before that: polls first, then collecting, creates last.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from receiver.graph.score import Score
from receiver.graph.usage import Usage
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.tools import Tools
from receiver.metrics import GRAPH_POINTS
from receiver.store import points, waits
from receiver.store.database import DatabaseAway, Session
from receiver.store.points import Ledger
from receiver.store.waits import Wait

log = structlog.get_logger(__name__)

_FULL_PERCENT = 100
_HEADER_HOLDS = timedelta(seconds=60)
"""How long a header's word on the app counts: its window rolls an hour, and others call too."""


class NoPoints(Exception):
    """A call would fill a limit further than it may, or Facebook asked for a wait.

    ``resume_at`` is when it may be made; ``calls`` is how many HTTP calls had been made for the
    same work.
    """

    def __init__(self, reason: str, *, resume_at: datetime) -> None:
        self.calls = 0
        super().__init__(reason)
        self.resume_at = resume_at


def reserve(tools: Tools, account_id: int, *, cost: int, purpose: Purpose) -> None:
    """Spend an account's points on calls that are made next. Raises NoPoints, DatabaseAway."""
    now = tools.now()

    def spend(ledger: Ledger) -> Score:
        _check_room(tools, ledger, cost=cost, purpose=purpose, now=now)
        return ledger.score.add(cost, now=now)

    with tools.database.writing() as session:
        _check_wait(session, account_id, now=now)
        points.change(session, account_id, spend)
    GRAPH_POINTS.labels(str(account_id), purpose).inc(cost)


def _check_wait(session: Session, account_id: int, *, now: datetime) -> None:
    """Raise NoPoints where a refusal asked to wait, perhaps that of the call before this one.

    A wait that an answer's headers ask for keeps the next step away, and ends none: where each
    answer asks for one, no step of several calls would ever end.
    """
    wait = waits.of_account(session, account_id, now=now)
    if wait is not None and wait.http_status is not None and wait.parked_reason is None:
        raise told_to_wait(account_id, wait)


def told_to_wait(account_id: int, wait: Wait) -> NoPoints:
    """Return the error of a call that Facebook asked not to make before a wait is over."""
    reason = f"Facebook asked to ask nothing more for act_{account_id} for now."
    return NoPoints(reason, resume_at=wait.resume_at)


def points_left(tools: Tools, account_id: int, *, purpose: Purpose) -> int:
    """Return how many points an account has left for a purpose. Raises DatabaseAway."""
    with tools.database.reading() as session:
        score = points.read(session, account_id).score
    return int(score.left(most_percent=tools.shares.of(purpose), now=tools.now()))


def check(tools: Tools, account_id: int, *, cost: int, purpose: Purpose) -> None:
    """Find out whether an account has these points, and spend none. Raises as ``reserve`` does."""
    with tools.database.reading() as session:
        ledger = points.read(session, account_id)
    _check_room(tools, ledger, cost=cost, purpose=purpose, now=tools.now())


def _check_room(
    tools: Tools, ledger: Ledger, *, cost: int, purpose: Purpose, now: datetime
) -> None:
    most_percent = tools.shares.of(purpose)
    resume_at = _app_resumes_at(ledger, most_percent=most_percent, now=now)
    resume_at = resume_at or ledger.score.room_at(cost, most_percent=most_percent, now=now)
    if resume_at is not None:
        reason = f"More than {most_percent:g} % of a limit is used: {purpose} calls wait."
        raise NoPoints(reason, resume_at=resume_at)


def _app_resumes_at(ledger: Ledger, *, most_percent: float, now: datetime) -> datetime | None:
    """Return when a call may ask for a newer word on the app; None where it has room."""
    percent, at = ledger.app_percent, ledger.app_percent_at
    if percent is None or at is None or percent < most_percent or now - at >= _HEADER_HOLDS:
        return None
    return at + _HEADER_HOLDS


def correct(tools: Tools, account_id: int, usage: Usage) -> None:
    """Correct the ledger by an answer's headers, a failing one's too; without a database, not."""
    if usage.score_percent is None and usage.tier is None and usage.app_percent is None:
        return
    now = tools.now()

    def told(ledger: Ledger) -> Score | None:
        score = Score(ledger.score.slots, tier=usage.tier or ledger.score.tier)
        if usage.score_percent is not None and usage.score_percent >= _FULL_PERCENT:
            # A full account is blocked: its wait says for how long, and nothing is left of the
            # score after that. Counted here as well, it would keep everybody out for longer.
            score = Score(tier=score.tier)
        elif usage.score_percent is not None:
            score = score.corrected(usage.score_percent, now=now)
        return None if score == ledger.score else score

    is_app_full = (usage.app_percent or 0.0) >= tools.shares.poll_percent
    try:
        # Most headers tell nothing new, and nobody is to wait for the lock to write that.
        with tools.database.reading() as session:
            if told(points.read(session, account_id)) is None and not is_app_full:
                return
        with tools.database.writing() as session:
            points.change(session, account_id, told)
            if usage.app_percent is not None and is_app_full:
                points.note_app(session, account_id, percent=usage.app_percent, now=now)
    except DatabaseAway as away:
        log.warning("A ledger could not be corrected", account_id=account_id, reason=str(away))
