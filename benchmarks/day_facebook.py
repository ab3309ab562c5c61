"""A model of Facebook and of its callers for a day: what is created when, and how long it takes.

No HTTP and no SQL. Callers send bursts of sets, a few accounts most of them; a set takes as long as
its account's sets take a request, more or less. The same seed makes the same day.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import SetReading

BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)

_DAY_SECONDS = 86_400
_MEAN_SIZE = 100
_MOST_REQUESTS = 1000
_FULL_SHARE = 0.01
_SETS_A_BURST = 5
_FIXED_SECONDS = 20.0
_SECONDS_A_REQUEST = 1.0
_NOTIFIED_AFTER_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Order:
    """A set as a caller orders it, and what becomes of it at Facebook: ``seconds`` it takes."""

    account: int
    size: int
    at: datetime
    seconds: float
    is_lost: bool
    notified_after_seconds: float

    @property
    def completes_at(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)

    @property
    def pages(self) -> int:
        """How many pages its requests fill."""
        return -(-self.size // MAX_PAGE_LIMIT)

    def done(self, age_seconds: float) -> int:
        """How many of its requests are done at an age."""
        return min(self.size, int(self.size * age_seconds / self.seconds))


def orders(*, sets: int, accounts: int, lost_share: float, seed: int) -> Iterator[Order]:
    """Make so many orders, spread over a day, in the order of their time."""
    chance = random.Random(seed)  # noqa: S311  # the same day every time, and no secret
    paces = [_SECONDS_A_REQUEST * chance.lognormvariate(0, 0.5) for _ in range(accounts)]
    shares = [1 / (rank + 10) for rank in range(accounts)]
    bursts = sorted(chance.random() for _ in range(max(1, sets // _SETS_A_BURST)))
    of_bursts = chance.choices(range(accounts), shares, k=len(bursts))
    for number in range(sets):
        burst = min(number // _SETS_A_BURST, len(bursts) - 1)
        account, size = of_bursts[burst], _size(chance)
        yield Order(
            account,
            size,
            at=BEGINS_AT + timedelta(seconds=bursts[burst] * _DAY_SECONDS),
            seconds=_FIXED_SECONDS + size * paces[account] * chance.lognormvariate(0, 0.4),
            is_lost=chance.random() < lost_share,
            notified_after_seconds=_NOTIFIED_AFTER_SECONDS * chance.lognormvariate(0, 0.6),
        )


def _size(chance: random.Random) -> int:
    if chance.random() < _FULL_SHARE:
        return _MOST_REQUESTS
    return min(_MOST_REQUESTS, 1 + int(chance.expovariate(1 / _MEAN_SIZE)))


def reading(order: Order, number: int, *, age_seconds: float) -> SetReading:
    """Return what Facebook shows of a set at an age."""
    done = order.done(age_seconds)
    is_completed = age_seconds >= order.seconds
    is_sent = age_seconds >= order.seconds + order.notified_after_seconds
    return SetReading(
        id=number,
        owner_id=order.account,
        name="set",
        is_completed=is_completed,
        total_count=order.size,
        initial_count=order.size - done,
        in_progress_count=0,
        success_count=done,
        error_count=0,
        canceled_count=0,
        notification_uri=None,
        notification_mode="ON_COMPLETE",
        notification_status="SENT" if is_sent else "NOT_SENT",
        notification_result_status="200" if is_sent else None,
        notification_result=None,
        created_time=None,
        updated_time=None,
    )
