"""The population that the admin's view is measured on, without a database.

Twenty accounts, of which one holds half of everything, one next to nothing, and one has been silent
for sixty days; sets of one to a thousand requests over ninety days; most of them collected, a few
hundred at work, some in trouble.
The same seed makes the same sets: the population has a present of its own, ``NOW``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNTS = tuple(710_000_000_000_001 + 97 * number for number in range(20))
LARGE, SILENT, TINY = ACCOUNTS[0], ACCOUNTS[1], ACCOUNTS[-1]
KEYS = {
    "all": ("key-of-all-accounts", ACCOUNTS),
    "large": ("key-of-the-large-account", (LARGE,)),
    "silent": ("key-of-the-silent-account", (SILENT,)),
    "tiny": ("key-of-the-tiny-account", (TINY,)),
}
"""The keys of the population: their secrets, which only a benchmark may know, and accounts."""

DAYS = 90
_MEAN_SIZE = 100
_MOST_REQUESTS = 1000
_OPEN_MOST = 300


@dataclass(frozen=True)
class Set:
    """One set of the population, from which the rows of every table are made."""

    number: int
    size: int
    account_id: int
    created_at: datetime
    state: str
    verdict: str
    failed: tuple[int, ...]
    seconds: int
    parent_id: int | None
    is_doubled: bool
    first_request: int
    dice: int
    """A random number for all that no other row depends on."""

    @property
    def is_complete(self) -> bool:
        return self.state in ("collected", "completed")

    @property
    def facebook_id(self) -> int | None:
        known = self.state not in ("rejected", "unknown")
        return 6_500_000_000_000 + 1000 * self.number if known else None

    @property
    def completed_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.seconds)

    @property
    def collected_at(self) -> datetime:
        return self.completed_at + timedelta(seconds=2)

    @property
    def learned_by(self) -> str | None:
        if not self.is_complete:
            return None
        return "notification" if self.verdict == "delivered" else "poll"


@dataclass
class Population:
    """Makes sets one after another, in the order of their time."""

    rows: int
    chance: random.Random
    newest_failed: dict[int, int] = field(default_factory=dict)

    def sets(self) -> Iterator[Set]:
        sizes = list(self._sizes())
        first_request, span = 23_850_000_000_001, timedelta(days=DAYS)
        for index, size in enumerate(sizes):
            created_at = NOW - span + index * span / len(sizes)
            one = self._set(index, size, len(sizes), created_at, first_request)
            first_request += 7 * size
            yield one

    def _sizes(self) -> Iterator[int]:
        left = self.rows
        while left > 0:
            wanted = int(self.chance.expovariate(1 / _MEAN_SIZE)) + 1
            is_full = self.chance.random() < 0.01  # noqa: PLR2004  # one in a hundred is as large as may be
            size = min(left, _MOST_REQUESTS if is_full else min(wanted, _MOST_REQUESTS))
            left -= size
            yield size

    def _set(
        self, index: int, size: int, sets: int, created_at: datetime, first_request: int
    ) -> Set:
        account_id, state = self._account(index, sets), self._state(index, sets)
        failed = self._failed(size) if state == "collected" else ()
        parent_id = self.newest_failed.get(account_id) if self.chance.random() < 0.02 else None  # noqa: PLR2004  # two in a hundred were sent again
        if failed:
            self.newest_failed[account_id] = index + 1
        return Set(
            number=index + 1,
            size=size,
            account_id=account_id,
            created_at=created_at,
            state=state,
            verdict=self._verdict() if state == "collected" else "pending",
            failed=failed,
            seconds=60 + self.chance.randrange(1200),
            parent_id=parent_id,
            is_doubled=index % max(2, sets // 3) == 5,  # noqa: PLR2004  # three of them, wherever
            first_request=first_request,
            dice=self.chance.getrandbits(30),
        )

    def _account(self, index: int, sets: int) -> int:
        if index % max(2, sets // 4) == 1:
            return TINY
        weights = [8.0, *(4.0 / rank for rank in range(1, len(ACCOUNTS) - 1))]
        account_id = self.chance.choices(ACCOUNTS[:-1], weights)[0]
        return LARGE if account_id == SILENT and index > sets // 3 else account_id

    def _state(self, index: int, sets: int) -> str:
        if sets - index <= min(_OPEN_MOST, sets // 5):
            return "completed" if index % 50 == 0 else "open"
        in_trouble = {7: "stuck", 11: "unknown"}.get(index % max(20, sets // 10))
        if in_trouble is not None:
            return in_trouble
        return "rejected" if self.chance.random() < 0.005 else "collected"  # noqa: PLR2004  # five in a thousand

    def _failed(self, size: int) -> tuple[int, ...]:
        """Return which requests failed: a quarter of the requests of four sets in ten."""
        if self.chance.random() >= 0.4:  # noqa: PLR2004  # as said above
            return ()
        count = round(size * self.chance.random() / 2)
        return tuple(sorted(self.chance.sample(range(size), count)))

    def _verdict(self) -> str:
        return self.chance.choices(("delivered", "lost", "failed"), (90, 6, 4))[0]
