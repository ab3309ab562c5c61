"""The published score of an ad account: what calls cost, how it decays, when it blocks (pure).

The facts, section 5: a read costs 1 point and a write 3, each operation of a batch as much as a
call of its own; the score is that of the last 300 seconds; its maximum depends on the app's tier.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

READ_POINTS = 1
WRITE_POINTS = 3

_WINDOW_SECONDS = 300
_SLOT_SECONDS = 10
_LIMITS = {"development_access": 60.0, "standard_access": 9000.0}
_TIER = "standard_access"
"""What is assumed before a header tells: a lower one tells itself by a throttle error at once."""


@dataclass(frozen=True)
class Score:
    """An account's points of the last minutes, in slots of ten seconds; ``tier`` is a header's."""

    slots: Mapping[int, float] = field(default_factory=dict)
    tier: str | None = None

    @property
    def limit(self) -> float:
        """The score at which Facebook blocks the account."""
        return _LIMITS.get(self.tier or _TIER, _LIMITS[_TIER])

    def at(self, now: datetime) -> float:
        """Return the score at a moment."""
        return sum(self._kept(now).values())

    def percent(self, now: datetime) -> float:
        """Return how much of the limit is used."""
        return 100 * self.at(now) / self.limit

    def add(self, points: float, *, now: datetime) -> Score:
        """Return the score after a call that costs so much."""
        slots = self._kept(now)
        slot = _slot(now)
        return replace(self, slots={**slots, slot: slots.get(slot, 0.0) + points})

    def corrected(self, percent: float, *, now: datetime) -> Score:
        """Return the score that a header tells: others spend points too, and some were not spent.

        A header that rounds, or that does not know the calls under way yet, changes nothing.
        """
        told, known = percent / 100 * self.limit, self.at(now)
        tolerance = self.limit / 100
        if told > known:
            return self.add(told - known, now=now)
        if known - told <= tolerance or known == 0:
            return self
        share = (told + tolerance) / known
        slots = {slot: points * share for slot, points in self._kept(now).items()}
        return replace(self, slots=slots)

    def left(self, *, most_percent: float, now: datetime) -> float:
        """Return how many points may be spent at once."""
        return self.limit * most_percent / 100 - self.at(now)

    def room_at(self, points: float, *, most_percent: float, now: datetime) -> datetime | None:
        """Return from when on so many points may be spent; None for at once."""
        most = self.limit * most_percent / 100
        left = self._kept(now)
        if sum(left.values()) + points <= most:
            return None
        for slot in sorted(left):
            del left[slot]
            if sum(left.values()) + points <= most:
                return _end(slot)
        return now + timedelta(seconds=_WINDOW_SECONDS)

    def _kept(self, now: datetime) -> dict[int, float]:
        oldest = _slot(now) - _WINDOW_SECONDS // _SLOT_SECONDS
        # What a clock that was put back has not reached yet counts: it was spent.
        return {slot: points for slot, points in self.slots.items() if slot >= oldest}


def _slot(moment: datetime) -> int:
    return int(moment.timestamp()) // _SLOT_SECONDS


def _end(slot: int) -> datetime:
    """Return when a slot's points count no more."""
    return datetime.fromtimestamp((slot + 1) * _SLOT_SECONDS + _WINDOW_SECONDS, UTC)


def write_score(score: Score) -> str:
    """Write a score's slots as JSON, for the database."""
    return json.dumps({str(slot): round(points, 3) for slot, points in score.slots.items()})


def read_score(text: str | None, *, tier: str | None) -> Score:
    """Read a score as it was written."""
    slots = {} if text is None else json.loads(text)
    return Score({int(slot): float(points) for slot, points in slots.items()}, tier=tier)
