"""How far each kind of call may fill Facebook's limits (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What points are spent for."""

    POLL = "poll"
    COLLECT = "collect"
    CREATE = "create"


@dataclass(frozen=True)
class Shares:
    """How full, in percent, a limit may be for each kind of call."""

    poll_percent: float = 80.0
    collect_percent: float = 90.0
    create_percent: float = 95.0

    def of(self, purpose: Purpose) -> float:
        return {
            Purpose.POLL: self.poll_percent,
            Purpose.COLLECT: self.collect_percent,
            Purpose.CREATE: self.create_percent,
        }[purpose]
