"""The days that figures are asked for, by the words that Graph has for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

Period = tuple[date, date]
"""The first day and the last."""

DEFAULT_PRESET = "last_30d"

_LAST_DAYS = re.compile("last_(3|7|14|28|30|90)d")
_MONTHS_KEPT = 37
"""Graph goes no further back."""


def preset_period(preset: str, *, today: date) -> Period:
    """Return the days of a ``date_preset``; the last ones end yesterday, the present ones today.

    Raises ValueError for a word that Graph does not know.
    """
    days = _LAST_DAYS.fullmatch(preset)
    if days:
        return today - timedelta(days=int(days[1])), today - timedelta(days=1)
    if preset not in _PRESETS:
        raise ValueError(preset)
    return _PRESETS[preset](today)


def _month(day: date, *, back: int = 0) -> date:
    """Return the first day of a month, so many months before the day's own."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _quarter(day: date) -> date:
    return _month(day, back=(day.month - 1) % 3)


def _week(day: date, *, sunday_first: bool) -> date:
    return day - timedelta(days=(day.weekday() + sunday_first) % 7)


def _last_week(day: date, *, sunday_first: bool) -> Period:
    end = _week(day, sunday_first=sunday_first) - timedelta(days=1)
    return end - timedelta(days=6), end


def _before(day: date) -> date:
    return day - timedelta(days=1)


_PRESETS: dict[str, Callable[[date], Period]] = {
    "today": lambda day: (day, day),
    "yesterday": lambda day: (_before(day), _before(day)),
    "this_month": lambda day: (_month(day), day),
    "last_month": lambda day: (_month(day, back=1), _before(_month(day))),
    "this_quarter": lambda day: (_quarter(day), day),
    "last_quarter": lambda day: (_month(_quarter(day), back=3), _before(_quarter(day))),
    "this_year": lambda day: (date(day.year, 1, 1), day),
    "last_year": lambda day: (date(day.year - 1, 1, 1), date(day.year - 1, 12, 31)),
    "this_week_mon_today": lambda day: (_week(day, sunday_first=False), day),
    "this_week_sun_today": lambda day: (_week(day, sunday_first=True), day),
    "last_week_mon_sun": lambda day: _last_week(day, sunday_first=False),
    "last_week_sun_sat": lambda day: _last_week(day, sunday_first=True),
    "maximum": lambda day: (_month(day, back=_MONTHS_KEPT), day),
    "data_maximum": lambda day: (_month(day, back=_MONTHS_KEPT), day),
}
