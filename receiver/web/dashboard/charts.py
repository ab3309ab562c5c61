"""Charts and bars as shapes (pure): the templates draw them, without any style of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver.web.admin.documents import Outcomes, RequestSet

HEIGHT = 120
BAR = 12
GAP = 3


@dataclass(frozen=True)
class Block:
    """One block of a bar or chart; ``kind`` names its colour."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Bar:
    """The sets of one period: its blocks, and what they stand for."""

    at: datetime
    counts: dict[str, int]
    blocks: tuple[Block, ...]
    x: float


@dataclass(frozen=True)
class Chart:
    """Bars of one scale; ``most`` is what the highest stands for."""

    bars: tuple[Bar, ...]
    width: int
    most: int
    height: int = HEIGHT
    bar_width: int = BAR


def outcomes(rows: Sequence[Outcomes]) -> Chart:
    """Draw the sets collected in each period, by how the receiver learned of them."""
    most = max((row.collected + row.rejected for row in rows), default=0)
    bars = tuple(_bar(row, index=index, most=most) for index, row in enumerate(rows))
    return Chart(bars, width=len(rows) * (BAR + GAP), most=most)


def _bar(row: Outcomes, *, index: int, most: int) -> Bar:
    others = row.collected - row.by_notification - row.by_poll - row.by_read
    counts = {
        "notification": row.by_notification,
        "poll": row.by_poll,
        "read": row.by_read + max(0, others),
        "rejected": row.rejected,
    }
    x = index * (BAR + GAP)
    return Bar(row.at, counts, tuple(_stacked(counts, x=x, most=most)), x)


def _stacked(counts: dict[str, int], *, x: float, most: int) -> Iterator[Block]:
    top = float(HEIGHT)
    for kind, count in counts.items():
        if count:
            height = HEIGHT * count / most
            top -= height
            yield Block(kind, x, round(top, 2), BAR, round(height, 2))


def progress(row: RequestSet) -> tuple[Block, ...]:
    """Draw a set's requests as one bar, 100 wide: succeeded, failed, canceled, running."""
    total = row.total_count or row.spec_count
    known = {
        "success": row.success_count or 0,
        "error": row.error_count or 0,
        "canceled": row.canceled_count or 0,
    }
    running = max(0, total - sum(known.values()))
    return tuple(_beside({**known, "running": running}, total=total))


def _beside(counts: dict[str, int], *, total: int) -> Iterator[Block]:
    x = 0.0
    for kind, count in counts.items():
        width = 100 * count / total if total else 0.0
        if width:
            yield Block(kind, round(x, 2), 0, round(width, 2), 10)
        x += width
