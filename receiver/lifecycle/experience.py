"""What an account's last sets tell of its next ones (pure)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from receiver.lifecycle.plan import grace_share
from receiver.lifecycle.verdict import DELIVERED, FAILED, LOST, PENDING

KEPT = 200
"""How many of an account's newest complete sets are looked at."""

_ENOUGH = 3
"""With fewer sets of a size there is no experience of it yet."""

_USUAL_SHARE = 0.8
_EARLY_SHARE = 0.1

_SOONER_SECONDS = 5.0
"""By how much first looks come sooner while they find sets complete, should those take less now.

Less than the shortest interval between looks: what such a look just misses counts as later again.
"""


@dataclass(frozen=True)
class Past:
    """One complete set: after how long we saw that, and the verdict on its notification."""

    spec_count: int
    seconds: float
    verdict: str

    @property
    def is_lost(self) -> bool | None:
        """Whether its notification was lost; None while that is not decided."""
        return None if self.verdict == PENDING else self.verdict in (LOST, FAILED)


@dataclass(frozen=True)
class Experience:
    """How long sets of a size took, and which share of notifications never came."""

    durations: Mapping[int, Sequence[float]] = field(default_factory=dict)
    loss_rate: float = 0.0
    count: int = 0

    def usual_seconds(self, spec_count: int) -> float | None:
        """Within which time four of five sets of that size were complete; None for unknown."""
        return self._seconds_of(_USUAL_SHARE, spec_count=spec_count)

    def early_seconds(self, spec_count: int) -> float | None:
        """Within which time one of ten sets of that size was complete; None for unknown."""
        return self._seconds_of(_EARLY_SHARE, spec_count=spec_count)

    def _seconds_of(self, share: float, *, spec_count: int) -> float | None:
        durations = self.durations.get(size_bucket(spec_count), ())
        if len(durations) < _ENOUGH:
            return None
        return durations[math.ceil(share * len(durations)) - 1]

    def is_past_usual(self, spec_count: int, *, age_seconds: float) -> bool:
        """Tell whether sets of that size are usually complete at an age; False for unknown."""
        usual_seconds = self.usual_seconds(spec_count)
        return usual_seconds is not None and age_seconds >= usual_seconds


def size_bucket(spec_count: int) -> int:
    """Return which sizes count as alike: 1, 2-3, 4-7, 8-15 and so on."""
    return spec_count.bit_length()


def learn(past: Iterable[Past]) -> Experience:
    """Return what some complete sets tell."""
    known = list(past)
    decided = [one.is_lost for one in known if one.is_lost is not None]
    loss_rate = sum(decided) / len(decided) if decided else 0.0
    durations: dict[int, list[float]] = defaultdict(list)
    for one in known:
        durations[size_bucket(one.spec_count)].append(_took_seconds(one, loss_rate=loss_rate))
    by_size = {size: sorted(each) for size, each in durations.items()}
    return Experience(by_size, loss_rate=loss_rate, count=len(known))


def _took_seconds(one: Past, *, loss_rate: float) -> float:
    """Return how long a set took; without a notification, what leads to a look as late as its own.

    A look comes a grace after the usual time. Were the grace learned with it, each first look
    would be later than the one before.
    """
    seconds = one.seconds
    if one.verdict != DELIVERED:
        seconds = (seconds - _SOONER_SECONDS) / (1 + grace_share(loss_rate))
    return max(0.0, seconds)
