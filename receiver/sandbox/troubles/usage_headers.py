"""The usage headers of an answer: JSON in strings, with Graph's units (the facts, section 5)."""

from __future__ import annotations

import json
import math
from datetime import datetime
from functools import lru_cache

from receiver.sandbox.troubles.limits import DECAY_SECONDS, Quotas, Tier

_APP_CALLS_PER_HOUR = 200_000
"""Facebook allows 200 for each user of the app; a thousand users are assumed."""

Headers = tuple[tuple[str, str], ...]


def usage_headers(
    quotas: Quotas, *, account_id: str | None, is_insights: bool, now: datetime
) -> Headers:
    """Return what an answer tells of the app's usage, and of its account's where that is known."""
    app_percent = 100 * quotas.app_calls.at(now) / _APP_CALLS_PER_HOUR
    app = ("X-App-Usage", _app_usage(round(app_percent)))
    if account_id is None:
        return (app,)
    quota = quotas.of(account_id)
    tier, percent = quota.limits.tier, quota.percent(now)
    wait_seconds = quota.blocked_seconds(now)
    kind = "ads_insights" if is_insights else "ads_management"
    wait_minutes = math.ceil(wait_seconds / 60)
    business = _business_usage(account_id, kind, round(percent), wait_minutes, tier)
    account = {
        "acc_id_util_pct": round(percent, 2),
        "reset_time_duration": wait_seconds or DECAY_SECONDS,
        "ads_api_access_tier": tier,
    }
    headers = (
        app,
        ("X-Business-Use-Case-Usage", business),
        ("X-Ad-Account-Usage", json.dumps(account)),
    )
    if not is_insights:
        return headers
    throttle = {
        "app_id_util_pct": round(app_percent, 2),
        "acc_id_util_pct": round(percent, 2),
        "ads_api_access_tier": tier,
    }
    return (*headers, ("X-FB-Ads-Insights-Throttle", json.dumps(throttle)))


# Every answer carries these two, and from one call to the next they hardly ever differ.
@lru_cache(maxsize=256)
def _app_usage(percent: int) -> str:
    half = round(percent / 2)
    return json.dumps({"call_count": percent, "total_time": half, "total_cputime": half})


@lru_cache(maxsize=256)
def _business_usage(account_id: str, kind: str, percent: int, wait_minutes: int, tier: Tier) -> str:
    usage = {
        "type": kind,
        "call_count": percent,
        "total_cputime": round(percent / 2),
        "total_time": round(percent / 2),
        "estimated_time_to_regain_access": wait_minutes,
        "ads_api_access_tier": tier,
    }
    return json.dumps({account_id: [usage]})
