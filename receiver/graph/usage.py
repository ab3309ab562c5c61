"""The usage headers: how much of its rate limit a caller has used, and when to call again.

They stand on any answer, failing ones too, once usage is high enough. Their values are JSON in a
string (the facts, section 5). Whatever cannot be understood counts as nothing used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

_SECONDS_PER_MINUTE = 60.0
_FULL_PERCENT = 100.0
_LONGEST_WAIT_SECONDS = 86_400.0
"""A header that asks for more than a day is taken for a day: every limit rolls faster than that."""

HEADERS = frozenset(
    {
        "x-ad-account-usage",
        "x-app-usage",
        "x-business-use-case-usage",
        "x-fb-ads-insights-throttle",
        "x-page-usage",
    }
)
"""The names of the usage headers, in lower case."""

_PERCENT_FIELDS = (
    "call_count",
    "total_time",
    "total_cputime",
    "acc_id_util_pct",
    "app_id_util_pct",
)
_OTHER_BUSINESS = (
    "ads_insights",
    "custom_audience",
    "instagram",
    "leadgen",
    "messenger",
    "pages",
)
"""Types whose limits our calls do not touch. One that nobody has seen before may be ours."""


@dataclass(frozen=True)
class Usage:
    """The highest of an answer's usage headers.

    ``percent`` of the limit in use; over 100 has been seen. ``wait_seconds``: how long Facebook
    asks to stay away, 0 when it does not ask. ``tier``: the access tier, as Facebook words it.
    ``score_percent`` of the ad account's score, ``app_percent`` of the app's calls; None unknown.
    """

    percent: float = 0.0
    wait_seconds: float = 0.0
    tier: str | None = None
    score_percent: float | None = None
    app_percent: float | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """The usage headers themselves, as they came, for a caller who knows them."""


NO_USAGE = Usage()


def parse_usage(headers: Mapping[str, str]) -> Usage:
    """Read the usage headers of an answer; their names may be in any case."""
    values = {name.lower(): value for name, value in headers.items()}
    records = list(_records(values))
    waits = [_wait_seconds(record) for record in records]
    return Usage(
        percent=max((_percent(record) for record in records), default=0.0),
        wait_seconds=min(max(waits, default=0.0), _LONGEST_WAIT_SECONDS),
        tier=_tier(records),
        score_percent=_highest(values.get("x-ad-account-usage"), ("acc_id_util_pct",)),
        app_percent=_highest(values.get("x-app-usage"), _PERCENT_FIELDS),
        headers=tuple((name, text) for name, text in headers.items() if name.lower() in HEADERS),
    )


def _highest(header: str | None, fields: tuple[str, ...]) -> float | None:
    record = _parse(header)
    if not isinstance(record, dict) or record.keys().isdisjoint(fields):
        return None
    percents = [_finite(record.get(field)) for field in fields]
    return max((percent for percent in percents if percent is not None), default=None)


def _records(values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in ("x-app-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle"):
        yield from _objects([_parse(values.get(name))])
    by_business = _parse(values.get("x-business-use-case-usage"))
    for entries in by_business.values() if isinstance(by_business, dict) else ():
        for record in _objects(entries if isinstance(entries, list) else [entries]):
            if record.get("type") not in _OTHER_BUSINESS:
                yield record


def _parse(value: str | None) -> Any:
    if value is None:
        return None
    try:
        return orjson.loads(value)
    except ValueError:
        return None


def _objects(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict))


def _percent(record: Mapping[str, Any]) -> float:
    return max(_number(record.get(field)) for field in _PERCENT_FIELDS)


def _wait_seconds(record: Mapping[str, Any]) -> float:
    """Return the wait that a record asks for.

    The business header speaks of minutes until access comes back. The ad account's speaks of
    seconds until its window starts anew, at any percentage: only a full one asks to wait.
    """
    wait_seconds = _number(record.get("estimated_time_to_regain_access")) * _SECONDS_PER_MINUTE
    if _number(record.get("acc_id_util_pct")) >= _FULL_PERCENT:
        wait_seconds = max(wait_seconds, _number(record.get("reset_time_duration")))
    return wait_seconds


def _tier(records: Iterable[Mapping[str, Any]]) -> str | None:
    tiers = (record.get("ads_api_access_tier") for record in records)
    return next((tier for tier in tiers if isinstance(tier, str) and tier), None)


def _number(value: object) -> float:
    """Return a number that is not negative; 0 for all else."""
    return _finite(value) or 0.0


def _finite(value: object) -> float | None:
    """Return a finite number that is not negative, which may come as a string; None for others."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
