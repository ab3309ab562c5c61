"""Counts in words and bars for people (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

_WIDTH = 40
_SHADES = ("█", "▓", "▒", "░")
_STYLES = ("green", "red", "yellow", "dim")
COUNT_WORDS = ("succeeded", "failed", "canceled", "to do")


def counts_of(row: Mapping[str, Any]) -> list[int]:
    """Return how many requests of a set succeeded, failed, were canceled, and are to do."""
    ended = [row[name] or 0 for name in ("success_count", "error_count", "canceled_count")]
    total = row["spec_count"] if row["total_count"] is None else row["total_count"]
    return [*ended, max(0, total - sum(ended))]


def stacked_bar(counts: Iterable[int], *, width: int = _WIDTH) -> Text:
    """Draw how many succeeded, failed, were canceled and are to do: told apart without colors.

    Whatever there is at least one of is seen.
    """
    counts = list(counts)
    bar = Text()
    for length, shade, style in zip(_lengths(counts, width), _SHADES, _STYLES, strict=True):
        bar.append(shade * length, style=style)
    return bar


def _lengths(counts: list[int], width: int) -> list[int]:
    total = sum(counts)
    if total == 0:
        return [0] * len(counts)
    lengths = [max(1, width * count // total) if count else 0 for count in counts]
    # What was rounded away, or added for small counts, is the largest part's.
    largest = counts.index(max(counts))
    lengths[largest] += width - sum(lengths)
    return lengths


def counts_in_words(counts: Iterable[int]) -> str:
    """Say the counts of a stacked bar, those that are zero left out."""
    pairs = zip(counts, COUNT_WORDS, strict=True)
    return ", ".join(f"{count} {word}" for count, word in pairs if count) or "nothing"


def number_of(count: int, what: str) -> str:
    """Say how many there are of a thing whose plural takes an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
