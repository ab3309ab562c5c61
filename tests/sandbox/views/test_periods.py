from __future__ import annotations

from datetime import date

import pytest
from facebook_business.adobjects.adsinsights import AdsInsights

from receiver.sandbox.views.periods import preset_period

WEDNESDAY = date(2026, 2, 4)


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("today", "2026-02-04", "2026-02-04"),
        ("yesterday", "2026-02-03", "2026-02-03"),
        ("last_7d", "2026-01-28", "2026-02-03"),
        ("last_30d", "2026-01-05", "2026-02-03"),
        ("this_month", "2026-02-01", "2026-02-04"),
        ("last_month", "2026-01-01", "2026-01-31"),
        ("this_quarter", "2026-01-01", "2026-02-04"),
        ("last_quarter", "2025-10-01", "2025-12-31"),
        ("this_year", "2026-01-01", "2026-02-04"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("this_week_mon_today", "2026-02-02", "2026-02-04"),
        ("this_week_sun_today", "2026-02-01", "2026-02-04"),
        ("last_week_mon_sun", "2026-01-26", "2026-02-01"),
        ("last_week_sun_sat", "2026-01-25", "2026-01-31"),
        ("maximum", "2023-01-01", "2026-02-04"),
    ],
)
def test_a_preset_means_days(preset: str, first: str, last: str) -> None:
    days = preset_period(preset, today=WEDNESDAY)
    assert days == (date.fromisoformat(first), date.fromisoformat(last))


PRESETS = sorted(
    value for name, value in vars(AdsInsights.DatePreset).items() if not name.startswith("_")
)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_of_the_sdk_is_known(preset: str) -> None:
    first, last = preset_period(preset, today=WEDNESDAY)
    assert first <= last <= WEDNESDAY


@pytest.mark.parametrize("preset", ["tomorrow", "last_5d"])
def test_a_word_that_is_no_preset_is_refused(preset: str) -> None:
    with pytest.raises(ValueError, match=preset):
        preset_period(preset, today=WEDNESDAY)
