"""How much an account may be called: its points, its tier, and how long it is blocked.

Facebook's Marketing API rate limiting (the facts, section 5): the score sums up the points of the
last 300 seconds; an account that would pass its tier's maximum is blocked.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls.errors import GraphFault

Tier = Literal["development_access", "standard_access"]
LimitCode = Literal[17, 613, 80004]

LIMIT_CODES: tuple[int, ...] = get_args(LimitCode)
DECAY_SECONDS = 300

_MAX_SCORES: dict[Tier, int] = {"development_access": 60, "standard_access": 9000}
_BLOCK_SECONDS: dict[Tier, int] = {"development_access": 300, "standard_access": 60}
_APP_WINDOW_SECONDS = 3600


class Limits(BaseModel):
    """An account's limits. Those of its tier count where no number is given.

    ``enforced`` blocks the account when its score passes the maximum; ``code`` is the error then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier: Tier = "standard_access"
    enforced: bool = False
    code: LimitCode = 17
    max_score: int | None = Field(default=None, ge=1)
    block_seconds: float | None = Field(default=None, gt=0, le=86_400)

    @property
    def highest_score(self) -> int:
        return _MAX_SCORES[self.tier] if self.max_score is None else self.max_score

    @property
    def block_length(self) -> timedelta:
        seconds = _BLOCK_SECONDS[self.tier] if self.block_seconds is None else self.block_seconds
        return timedelta(seconds=seconds)


_FAULTS: dict[int, GraphFault] = {
    17: GraphFault("(#17) User request limit reached", 17, subcode=2446079, is_transient=True),
    613: GraphFault("(#613) Calls to this api have exceeded the rate limit.", 613, subcode=1487742),
    80004: GraphFault(
        "(#80004) There have been too many calls to this ad-account. Wait a bit and try again. For "
        "more info, please refer to "
        "https://developers.facebook.com/docs/graph-api/overview/rate-limiting#ads-management.",
        80004,
        subcode=2446079,
    ),
}


def limit_fault(code: int) -> GraphFault:
    """Return the error of a blocked account. Only code 17 was seen to call itself transient."""
    return _FAULTS[code]


@dataclass
class SlidingSum:
    """A sum over the last ``seconds``, kept by whole seconds so that it stays small."""

    seconds: int
    _total: int = 0
    _parts: deque[tuple[int, int]] = field(default_factory=deque)

    def add(self, amount: int, *, now: datetime) -> None:
        second = int(now.timestamp())
        if self._parts and self._parts[-1][0] == second:
            amount_before = self._parts.pop()[1]
            self._parts.append((second, amount_before + amount))
        else:
            self._parts.append((second, amount))
        self._total += amount

    def at(self, now: datetime) -> int:
        """Return the sum as it is now; ``now`` never goes back."""
        ended = int(now.timestamp()) - self.seconds
        while self._parts and self._parts[0][0] <= ended:
            self._total -= self._parts.popleft()[1]
        return self._total

    def clear(self) -> None:
        self._parts.clear()
        self._total = 0


@dataclass(frozen=True)
class Block:
    """A block of an account: until when, with which error, and for how long it begins anew."""

    until: datetime
    code: int
    length: timedelta


@dataclass
class Quota:
    """One account's score and its block."""

    limits: Limits = field(default_factory=Limits)
    score: SlidingSum = field(default_factory=lambda: SlidingSum(DECAY_SECONDS))
    _block: Block | None = None

    def spend(self, points: int, *, now: datetime) -> int | None:
        """Pay for a call; return the error's code where the account is blocked, None where not.

        A call that comes while the account is blocked lengthens the block: it begins anew.
        """
        block = self._block
        if block is not None and now < block.until:
            self.block(block.length, code=block.code, now=now)
            return block.code
        is_too_much = self.score.at(now) + points > self.limits.highest_score
        if self.limits.enforced and is_too_much:
            self.block(self.limits.block_length, code=self.limits.code, now=now)
            return self.limits.code
        self.score.add(points, now=now)
        return None

    def block(self, length: timedelta, *, code: int, now: datetime) -> None:
        """Block the account; its score begins at nothing when that is over."""
        self.score.clear()
        self._block = Block(now + length, code, length)

    def blocked_seconds(self, now: datetime) -> int:
        """Return for how many seconds the account is blocked yet; 0 for one that is not."""
        if self._block is None or now >= self._block.until:
            return 0
        return math.ceil((self._block.until - now).total_seconds())

    def percent(self, now: datetime) -> float:
        """Return the score as a percentage of its maximum: 100 while the account is blocked."""
        if self.blocked_seconds(now):
            return 100.0
        return 100 * self.score.at(now) / self.limits.highest_score


@dataclass
class Quotas:
    """The quota of every account, and the calls that the app made within an hour."""

    app_calls: SlidingSum = field(default_factory=lambda: SlidingSum(_APP_WINDOW_SECONDS))
    _by_account: dict[str, Quota] = field(default_factory=dict)

    def of(self, account_id: str) -> Quota:
        quota = self._by_account.get(account_id)
        if quota is None:
            quota = self._by_account[account_id] = Quota()
        return quota

    def set_limits(self, account_id: str, limits: Limits) -> None:
        """Give an account other limits, which lifts its block and empties its score."""
        self._by_account[account_id] = Quota(limits)
