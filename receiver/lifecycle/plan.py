"""When a set is looked at next: pure decisions, the chance handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.graph.errors import Advice, GraphError
from receiver.graph.usage import Usage
from receiver.store.intents import Deadline
from receiver.store.waits import FOREVER, Wait

_MARGIN = timedelta(seconds=5)
"""What is granted beyond a deadline before it counts as passed."""

_LOSS_IS_RARE = 0.02
_GRACE = 0.5
_GRACE_WHERE_LOST = 0.25
_EARLY_WAITS_SECONDS = 150.0
"""How long a set that is complete early waits at most for its first look, where they get lost.

Later than the first look at sets of which nothing is known, which are the worst case in looks.
"""

_JITTER = 0.2
"""An interval is stretched by at most this share, so that sets made together spread out."""

_WAIT_SECONDS = 300.0
"""How long an account waits when Facebook asks for it without saying how long.

It is the block of the published ad-account score (the facts, section 5).
"""

_TOKEN_CODES = (102, 190)
_LOGIN_OVER = (458, 459, 460, 463, 464, 467, 492)
"""Subcodes of 190, and codes, of a token whose login is over (the facts, section 4)."""

_ACCOUNT_FROZEN = 613
"""Without a subcode it is no limit that passes by itself: a person has to look."""

_LIMITS_OF_APPS = (4, 341)
"""The codes of limits that all accounts of an app share (the facts, section 4)."""

_AGAIN_AFTER_SECONDS = 1.0
_DOUBLINGS_MOST = 16
"""Of a second: nearly a day. The moment that the claim wrote comes before that."""

_LATE_AFTER = 10

_STUCK_INTERVAL = timedelta(hours=6)
"""How often what a person has to look at is looked for: later evidence may free it."""

_READABLE_WITHIN = timedelta(hours=1)
_STATUSES_SETTLE_WITHIN = timedelta(minutes=15)

_SEARCH_BUDGET = timedelta(days=3)
"""How long an outcome is looked for before a person is asked."""

_FIRST_SEARCH_SECONDS = 1.0
"""How soon a set whose answer was lost is looked for: it is there, or nobody knows."""

_SEARCHES_FOR_REJECTED = 8
"""With the usual intervals, about an hour: Facebook's edge is no slower than that."""


@dataclass(frozen=True)
class Pace:
    """How long things may take, in seconds."""

    send_before_seconds: float
    call_deadline_seconds: float
    lease_seconds: float
    first_look_seconds: float
    look_interval_min_seconds: float
    look_interval_max_seconds: float
    notification_grace_seconds: float
    deadline_min_seconds: float
    deadline_max_seconds: float
    settle_seconds: float
    needs_witness: bool
    """Whether absence is proved only where Facebook shows a set of ours that was sent later."""


def send_before(pace: Pace, *, now: datetime) -> datetime:
    """The moment after which a submission written now is not sent any more."""
    return now + timedelta(seconds=pace.send_before_seconds)


def sender_is_gone(pace: Pace, *, now: datetime) -> datetime:
    """The moment from which the sender of a submission written now cannot be waiting any more."""
    return _gone_at(pace, send_before(pace, now=now))


def is_sender_gone(pace: Pace, *, send_before: datetime, now: datetime) -> bool:
    """Tell whether the sender of a submission cannot be waiting for its answer any more."""
    return now >= _gone_at(pace, send_before)


def _gone_at(pace: Pace, send_before: datetime) -> datetime:
    return send_before + timedelta(seconds=pace.call_deadline_seconds) + _MARGIN


def lease_until(pace: Pace, *, now: datetime) -> datetime:
    """How long a claim made now holds."""
    return now + timedelta(seconds=pace.lease_seconds)


def first_look_at(
    pace: Pace,
    *,
    usual_seconds: float | None = None,
    early_seconds: float | None = None,
    loss_rate: float = 0.0,
    now: datetime,
) -> datetime:
    """When to look at a set opened now, if no notification comes before.

    It is when sets of its size are usually complete, and a grace for the notification: a long one
    where notifications come, a short one where they get lost. There no set that is complete as
    early as one of ten waits for minutes either. Without experience it is a setting.
    """
    if usual_seconds is None:
        return now + timedelta(seconds=pace.first_look_seconds)
    seconds = usual_seconds * (1 + grace_share(loss_rate))
    if loss_rate > _LOSS_IS_RARE and early_seconds is not None:
        seconds = min(seconds, early_seconds + _EARLY_WAITS_SECONDS)
    seconds = max(seconds, pace.look_interval_min_seconds)
    return now + timedelta(seconds=min(seconds, pace.look_interval_max_seconds))


def grace_share(loss_rate: float) -> float:
    """How much longer than usual a first look waits for a notification, as a share of that."""
    return _GRACE if loss_rate <= _LOSS_IS_RARE else _GRACE_WHERE_LOST


def next_look_at(
    pace: Pace, *, quiet_looks: int, loss_rate: float = 0.0, now: datetime, chance: float
) -> datetime:
    """When to look again after so many looks in a row that showed nothing new.

    The interval doubles from its minimum to its maximum; where notifications get lost it is
    shorter, up to a fifth. ``chance`` lies between 0 and 1.
    """
    # A shift of more than some dozen places only overflows: the maximum was reached before.
    doubled = pace.look_interval_min_seconds * 2 ** min(max(quiet_looks - 1, 0), 30)
    interval = min(doubled, pace.look_interval_max_seconds)
    if loss_rate > _LOSS_IS_RARE:
        interval = max(interval / (1 + 4 * loss_rate), pace.look_interval_min_seconds)
    return now + timedelta(seconds=interval * (1 + _JITTER * chance))


def due_again_at(*, quiet_looks: int, now: datetime) -> datetime:
    """When a set may be looked at again whose look broke off, after so many that led to nothing.

    In a moment, and later each time: the set itself may be what breaks it off.
    """
    doubled = 2.0 ** min(max(quiet_looks - 1, 0), _DOUBLINGS_MOST)
    return now + timedelta(seconds=_AGAIN_AFTER_SECONDS * doubled)


def deadline(pace: Pace, *, usual_seconds: float | None = None, now: datetime) -> Deadline:
    """From when on a set asked for now counts as late, and from when on as missing.

    Late is ten times what sets of its size usually take, within the bounds that are set.
    """
    learned_seconds = _LATE_AFTER * (usual_seconds or 0.0)
    late_seconds = max(pace.deadline_min_seconds, learned_seconds)
    late_seconds = min(late_seconds, pace.deadline_max_seconds)
    missing_seconds = min(2 * late_seconds, pace.deadline_max_seconds)
    return Deadline(now + timedelta(seconds=late_seconds), now + timedelta(seconds=missing_seconds))


def first_search_at(*, now: datetime) -> datetime:
    """When a set whose answer was lost just now is looked for."""
    return now + timedelta(seconds=_FIRST_SEARCH_SECONDS)


def is_surely_readable(opened_at: datetime, *, now: datetime) -> bool:
    """Tell whether a set would be readable by now if it were there."""
    return now - opened_at >= _READABLE_WITHIN


def are_statuses_settled(completed_at: datetime, *, now: datetime) -> bool:
    """Tell whether statuses that nobody knows are taken for final on a complete set."""
    return now - completed_at >= _STATUSES_SETTLE_WITHIN


def stuck_look_at(now: datetime) -> datetime:
    """When what a person has to look at is looked for again."""
    return now + _STUCK_INTERVAL


def is_budget_spent(created_at: datetime, *, now: datetime) -> bool:
    """Tell whether an intent's outcome was looked for long enough."""
    return now - created_at >= _SEARCH_BUDGET


def look_by_progress(
    pace: Pace, *, done: int, total: int, since: datetime, now: datetime, chance: float
) -> datetime | None:
    """When a set whose requests are being worked off should be complete, if it goes on like this.

    None where nothing is done yet. It lies between the shortest and the longest interval.
    """
    if not 0 < done <= total:
        return None
    left_seconds = (now - since).total_seconds() * (total - done) / done
    seconds = max(left_seconds, pace.look_interval_min_seconds)
    seconds = min(seconds, pace.look_interval_max_seconds)
    return now + timedelta(seconds=seconds * (1 + _JITTER * chance))


@dataclass(frozen=True)
class Moved:
    """Counts of a set at work that are not what they were: so many of its requests are done.

    ``since`` is when the set was opened, None for unknown.
    """

    done: int
    total: int
    since: datetime | None


def look_after(
    pace: Pace,
    *,
    moved: Moved | None,
    quiet_looks: int,
    loss_rate: float,
    now: datetime,
    chance: float,
) -> datetime:
    """When to look again at a set that is not complete; ``moved`` None where nothing is new.

    Counts that moved tell when it may be complete, or begin the intervals again.
    """
    if moved is not None and moved.since is not None:
        look_at = look_by_progress(
            pace, done=moved.done, total=moved.total, since=moved.since, now=now, chance=chance
        )
        if look_at is not None:
            return look_at
    return next_look_at(
        pace,
        quiet_looks=quiet_looks if moved is None else 1,
        loss_rate=loss_rate,
        now=now,
        chance=chance,
    )


def next_search_at(
    pace: Pace, *, is_rejected: bool, quiet_looks: int, now: datetime, chance: float
) -> datetime | None:
    """When to look again for a set whose id is not known; None for not again by itself.

    A rejected set is looked for only because a notification of it came, and not for ever.
    """
    if is_rejected and quiet_looks >= _SEARCHES_FOR_REJECTED:
        return None
    return next_look_at(pace, quiet_looks=quiet_looks, now=now, chance=chance)


def verdict_look_at(pace: Pace, *, completed_at: datetime) -> datetime:
    """When a complete set's notification counts as failed if Facebook has not sent it."""
    return completed_at + timedelta(seconds=pace.notification_grace_seconds)


def wait_after(error: Exception, *, now: datetime, is_ours: bool = True) -> Wait | None:
    """The wait that an error asks for; None for any other error.

    ``is_ours`` is a call of the receiver's own: one that is passed through may be refused for its
    kind of token, which says nothing of the token itself.
    """
    if not isinstance(error, GraphError):
        return None
    if _is_token_over(error, is_ours=is_ours):
        return _park(error, f"{error} Replace it with 'receiver account add'.", is_of_app=True)
    if error.code == _ACCOUNT_FROZEN and error.subcode is None:
        return _park(error, f"{error} When that is mended: 'receiver account resume'.")
    if error.advice is not Advice.WAIT:
        return None
    resume_at = now + timedelta(seconds=error.usage.wait_seconds or _WAIT_SECONDS)
    is_of_app = error.code in _LIMITS_OF_APPS
    return Wait(resume_at, error.http_status, body=error.body, is_of_app=is_of_app)


def _is_token_over(error: GraphError, *, is_ours: bool) -> bool:
    """Tell whether a credential's token is no longer valid, whatever is asked with it."""
    if error.subcode in _LOGIN_OVER or error.code in _LOGIN_OVER:
        return True
    return is_ours and error.code in _TOKEN_CODES


def _park(error: GraphError, reason: str, *, is_of_app: bool = False) -> Wait:
    return Wait(
        FOREVER,
        error.http_status,
        body=error.body,
        is_of_app=is_of_app,
        parked_reason=reason,
    )


def wait_for(usage: Usage, *, now: datetime) -> Wait | None:
    """The wait that usage headers ask for, on whatever answer; None where they ask for none."""
    if not usage.wait_seconds:
        return None
    return Wait(now + timedelta(seconds=usage.wait_seconds))


def grace_is_over(pace: Pace, *, completed_at: datetime, now: datetime) -> bool:
    """Tell whether Facebook had its time to send a complete set's notification."""
    return now >= verdict_look_at(pace, completed_at=completed_at)
