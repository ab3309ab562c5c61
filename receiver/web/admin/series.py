"""Statistics by hour or day as series (pure): every period is there, with zeros."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.store.statistics import COUNTS, Period, hour_of

LONGEST = {"hour": timedelta(days=31), "day": timedelta(days=400)}
_USUAL = {"hour": timedelta(days=1), "day": timedelta(days=30)}
_STEP = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class TooLong(ValueError):
    """A range of more periods than a series may have."""


def period_of(
    since: datetime | None, until: datetime | None, *, interval: str, now: datetime
) -> Period:
    """Return the range asked for, or the usual one. Raises TooLong."""
    try:
        end = until or (now if since is None else min(now, since + LONGEST[interval]))
        start = since or end - _USUAL[interval]
        if end - start > LONGEST[interval]:
            raise TooLong(f"since: at the most {LONGEST[interval].days} days by {interval}")
        return Period(start_of(start, interval=interval), max(end, start + _STEP[interval]))
    except OverflowError:
        raise TooLong("since: lies at the calendar's edge") from None


def start_of(moment: datetime, *, interval: str) -> datetime:
    """Return when the hour or the day (UTC) of a moment begins."""
    hour = hour_of(moment.astimezone(UTC))
    return hour.replace(hour=0) if interval == "day" else hour


def outcomes(
    rows: Iterable[Mapping[str, Any]], *, period: Period, interval: str
) -> list[dict[str, Any]]:
    """Return the sums of each hour or day, the first one first, where ``rows`` has none zeros."""
    zeros = dict.fromkeys(COUNTS, 0)
    sums = {row["hour"]: row for row in rows}
    return [
        {"at": at, **{name: sums.get(at, zeros)[name] for name in COUNTS}}
        for at in _starts(period, interval)
    ]


def _starts(period: Period, interval: str) -> Iterator[datetime]:
    first, step = start_of(period.since, interval=interval), _STEP[interval]
    # What follows the last one may lie beyond the calendar.
    return (first + number * step for number in range(-((first - period.until) // step)))
