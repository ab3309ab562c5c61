"""What the demo creates: sets over two accounts, with every trouble a notification can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PAGE_ACCOUNT = "71597454"
"""The account of the page's own example, whose set is named ``testasyncset``."""

OTHER_ACCOUNT = "187687683"

_PROGRESS: dict[str, Any] = {"kind": "after_seconds", "seconds": 3}
_AT_ONCE: dict[str, Any] = {"kind": "at_once"}


@dataclass(frozen=True)
class Chapter:
    """One set to create: on which account, how large, and what becomes of its notification."""

    name: str
    account: str
    ads: int
    failing: int
    notification: dict[str, Any]
    progress: dict[str, Any]

    def ad_specs(self) -> list[dict[str, Any]]:
        """The ads of the set; the sandbox fails those whose name says so."""
        return [self._spec(number) for number in range(1, self.ads + 1)]

    def _spec(self, number: int) -> dict[str, Any]:
        fails = " (to fail)" if number <= self.failing else ""
        return {
            "name": f"{self.name} {number}{fails}",
            "adset_id": "6008248529789",
            "creative": {"creative_id": "6012384858189"},
            "status": "PAUSED",
        }


STORY = (
    Chapter("testasyncset", PAGE_ACCOUNT, 2, 0, {"kind": "deliver"}, _PROGRESS),
    Chapter("Delivered", PAGE_ACCOUNT, 120, 7, {"kind": "deliver"}, _PROGRESS),
    Chapter("Never sent", PAGE_ACCOUNT, 80, 3, {"kind": "never"}, _PROGRESS),
    Chapter("Lost on its way", PAGE_ACCOUNT, 60, 0, {"kind": "lost"}, _PROGRESS),
    Chapter("Sent late", OTHER_ACCOUNT, 80, 2, {"kind": "late", "seconds": 5}, _PROGRESS),
    Chapter("Sent twice", OTHER_ACCOUNT, 100, 4, {"kind": "twice"}, _PROGRESS),
    Chapter("Before the answer", OTHER_ACCOUNT, 40, 1, {"kind": "before_answer"}, _AT_ONCE),
    Chapter("Answered by an error", OTHER_ACCOUNT, 60, 5, {"kind": "error"}, _PROGRESS),
)
