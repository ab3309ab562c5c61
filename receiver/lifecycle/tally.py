"""Count what was read of a set's requests, and what that took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.lifecycle.pages import Page
from receiver.store.looks import LookRecord


@dataclass(frozen=True)
class Tally:
    """What one collecting has read of a set so far."""

    started_at: datetime | None = None
    calls: int = 0
    rows: int = 0
    unreadable: int = 0
    refused: tuple[int, ...] = ()

    def with_page(self, page: Page, *, refused: Sequence[int]) -> Tally:
        return replace(
            self,
            started_at=self.started_at or page.read_at,
            calls=self.calls + page.calls,
            rows=self.rows + len(page.value.requests),
            unreadable=self.unreadable + page.value.unreadable,
            refused=(*self.refused, *refused),
        )

    def record(self, *, ended_at: datetime) -> LookRecord:
        """Return what is kept of it."""
        return LookRecord(
            kind="requests",
            started_at=self.started_at or ended_at,
            ended_at=ended_at,
            calls=self.calls,
            rows=self.rows,
        )
