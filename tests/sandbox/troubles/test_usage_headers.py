from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.sandbox.troubles.limits import Limits, Quotas
from receiver.sandbox.troubles.usage_headers import usage_headers
from tests.support.sandbox import GraphCaller

START = datetime(2026, 1, 2, tzinfo=UTC)


def read(quotas: Quotas, *, is_insights: bool = False, seconds: float = 0) -> dict[str, Any]:
    now = START + timedelta(seconds=seconds)
    headers = usage_headers(quotas, account_id="1", is_insights=is_insights, now=now)
    return {name: json.loads(text) for name, text in headers}


def test_every_answer_carries_the_usage_of_its_account(graph: GraphCaller) -> None:
    answer = graph.call("GET", "/act_1/asyncadrequestsets", params={"limit": "0"})
    assert answer.status_code == 400
    business = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert business["1"][0]["type"] == "ads_management"
    assert business["1"][0]["estimated_time_to_regain_access"] == 0
    account = json.loads(answer.headers["X-Ad-Account-Usage"])
    assert account == {
        "acc_id_util_pct": 0.01,
        "reset_time_duration": 300,
        "ads_api_access_tier": "standard_access",
    }


def test_an_answer_about_no_account_carries_the_apps_usage_only(graph: GraphCaller) -> None:
    headers = graph.call("GET", "/404").headers
    assert json.loads(headers["X-App-Usage"]) == {
        "call_count": 0,
        "total_time": 0,
        "total_cputime": 0,
    }
    assert "X-Ad-Account-Usage" not in headers


def test_an_answer_about_insights_carries_its_throttle(graph: GraphCaller) -> None:
    headers = graph.call("GET", "/act_1/insights").headers
    assert json.loads(headers["X-FB-Ads-Insights-Throttle"]) == {
        "app_id_util_pct": 0.0,
        "acc_id_util_pct": 0.01,
        "ads_api_access_tier": "standard_access",
    }
    business = json.loads(headers["X-Business-Use-Case-Usage"])
    assert business["1"][0]["type"] == "ads_insights"


def test_the_wait_is_told_in_minutes_and_in_seconds_both_rounded_up() -> None:
    quotas = Quotas()
    quotas.of("1").block(timedelta(seconds=90.5), code=17, now=START)
    told = read(quotas)
    assert told["X-Business-Use-Case-Usage"]["1"][0]["estimated_time_to_regain_access"] == 2
    assert told["X-Ad-Account-Usage"]["reset_time_duration"] == 91
    later = read(quotas, seconds=90.5)
    assert later["X-Business-Use-Case-Usage"]["1"][0]["estimated_time_to_regain_access"] == 0
    assert later["X-Ad-Account-Usage"]["acc_id_util_pct"] == 0.0


def test_percents_are_those_of_the_tier_and_may_exceed_a_hundred() -> None:
    quotas = Quotas()
    quotas.set_limits("1", Limits(tier="development_access"))
    quotas.of("1").spend(71, now=START)
    quotas.app_calls.add(100_000, now=START)
    told = read(quotas, is_insights=True)
    assert told["X-Ad-Account-Usage"]["acc_id_util_pct"] == 118.33
    assert told["X-Business-Use-Case-Usage"]["1"][0]["call_count"] == 118
    assert told["X-App-Usage"]["call_count"] == 50
    assert told["X-FB-Ads-Insights-Throttle"] == {
        "app_id_util_pct": 50.0,
        "acc_id_util_pct": 118.33,
        "ads_api_access_tier": "development_access",
    }
    assert read(quotas, seconds=3600)["X-App-Usage"]["call_count"] == 0
