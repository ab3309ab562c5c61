"""States, verdicts and counts in words and bars for people (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from receiver.graph.errors import Advice
from receiver.lifecycle import verdict
from receiver.store import intents

STATES = {
    intents.SUBMITTING: "It is on its way to Facebook, or its sender ended on the way.",
    intents.UNKNOWN: "Facebook was asked to create it. What became of that is being found out: "
    "do not send it again.",
    intents.REJECTED: "There is no such set: Facebook refused it, or nothing was sent.",
    intents.OPEN: "Facebook has it and works on it.",
    intents.COMPLETED: "Facebook is done with it; its results are being collected.",
    intents.COLLECTED: "Every result is here.",
    intents.STUCK: "It cannot be found out what became of it: a person has to look.",
}

VERDICTS = {
    verdict.PENDING: "It is not known yet what becomes of Facebook's notification.",
    verdict.DELIVERED: "Facebook's notification came.",
    verdict.FAILED: "Facebook's notification failed; the results were looked for.",
    verdict.LOST: "Facebook says that it notified us, and nothing came; the results were looked "
    "for.",
    verdict.NONE: "Facebook was not asked for a notification.",
}

ADVICE = {
    Advice.RETRY: "It often passes: send these ads again.",
    Advice.WAIT: "Send these ads again later.",
    Advice.ASK_A_PERSON: "A person has to act first: see what it says of the token or permission.",
    Advice.NEVER_REPEAT: "Sent again as they are they fail again: change the ads.",
}

_WIDTH = 40
_SHADES = ("█", "▓", "▒", "░")
_STYLES = ("green", "red", "yellow", "dim")
COUNT_WORDS = ("succeeded", "failed", "canceled", "to do")


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
