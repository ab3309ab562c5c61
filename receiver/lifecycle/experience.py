"""What an account's last sets tell of its next ones (pure)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

KEPT = 200
"""How many of an account's newest complete sets are looked at."""

_ENOUGH = 3
"""With fewer sets of a size there is no experience of it yet."""

_USUAL_SHARE = 0.8
_EARLY_SHARE = 0.1


@dataclass(frozen=True)
class Past:
    """One complete set: how long it took as far as we saw it, and what became of its notification.

    ``is_lost`` is None while that is not decided.
    """

    spec_count: int
    seconds: float
    is_lost: bool | None


@dataclass(frozen=True)
class Experience:
    """How long sets of a size took, and which share of notifications never came.

    ``durations`` are those of sets that were notified. ``seen`` are those of all, up to the look
    that saw them complete: learned from them, each first look would be later than the one before.
    """

    durations: Mapping[int, Sequence[float]] = field(default_factory=dict)
    seen: Mapping[int, Sequence[float]] = field(default_factory=dict)
    loss_rate: float = 0.0
    count: int = 0

    def usual_seconds(self, spec_count: int) -> float | None:
        """Within which time four of five sets of that size were complete; None for unknown."""
        return _within(self.durations, spec_count, share=_USUAL_SHARE)

    def seen_seconds(self, spec_count: int) -> float | None:
        """Within which time we saw four of five sets of that size complete; None for unknown."""
        return _within(self.seen, spec_count, share=_USUAL_SHARE)

    def early_seconds(self, spec_count: int) -> float | None:
        """Within which time one of ten sets of that size was complete; None for unknown."""
        return _within(self.durations, spec_count, share=_EARLY_SHARE)

    def is_past_usual(self, spec_count: int, *, age_seconds: float) -> bool:
        """Tell whether sets of that size are usually complete at an age; False for unknown."""
        usual_seconds = self.usual_seconds(spec_count)
        return usual_seconds is not None and age_seconds >= usual_seconds


def _within(
    durations: Mapping[int, Sequence[float]], spec_count: int, *, share: float
) -> float | None:
    of_size = durations.get(size_bucket(spec_count), ())
    if len(of_size) < _ENOUGH:
        return None
    return of_size[math.ceil(share * len(of_size)) - 1]


def size_bucket(spec_count: int) -> int:
    """Return which sizes count as alike: 1, 2-3, 4-7, 8-15 and so on."""
    return spec_count.bit_length()


def learn(past: Iterable[Past]) -> Experience:
    """Return what some complete sets tell."""
    known = list(past)
    decided = [one.is_lost for one in known if one.is_lost is not None]
    return Experience(
        durations=_by_size(one for one in known if one.is_lost is False),
        seen=_by_size(known),
        loss_rate=sum(decided) / len(decided) if decided else 0.0,
        count=len(known),
    )


def _by_size(past: Iterable[Past]) -> dict[int, list[float]]:
    by_size: dict[int, list[float]] = defaultdict(list)
    for one in past:
        by_size[size_bucket(one.spec_count)].append(max(0.0, one.seconds))
    return {size: sorted(seconds) for size, seconds in by_size.items()}
