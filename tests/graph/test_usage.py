from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.usage import NO_USAGE, Usage, parse_usage
from tests.support.json_strategies import json_values

APP = "X-App-Usage"
ACCOUNT = "X-Ad-Account-Usage"
BUSINESS = "X-Business-Use-Case-Usage"
INSIGHTS = "X-FB-Ads-Insights-Throttle"


def test_no_header_means_nothing_used() -> None:
    assert parse_usage({"Content-Type": "application/json"}) == NO_USAGE


def test_the_apps_header_gives_the_highest_of_its_percents() -> None:
    usage = parse_usage({APP: '{"call_count":28,"total_time":25,"total_cputime":31}'})
    assert usage == Usage(percent=31.0, app_percent=31.0)


def test_the_accounts_header_gives_percent_and_tier() -> None:
    value = (
        '{"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard_access"}'
    )
    assert parse_usage({ACCOUNT: value}) == Usage(
        percent=9.67, tier="standard_access", score_percent=9.67
    )


def test_a_full_account_waits_its_seconds() -> None:
    usage = parse_usage({ACCOUNT: '{"acc_id_util_pct":100,"reset_time_duration":100}'})
    assert usage == Usage(percent=100.0, wait_seconds=100.0, score_percent=100.0)


def test_the_business_header_waits_its_minutes() -> None:
    value = (
        '{"71597454":[{"type":"ads_management","call_count":118,"total_cputime":20,'
        '"total_time":20,"estimated_time_to_regain_access":47,'
        '"ads_api_access_tier":"development_access"}]}'
    )
    expected = Usage(percent=118.0, wait_seconds=47 * 60, tier="development_access")
    assert parse_usage({BUSINESS: value}) == expected


def test_the_limit_of_another_business_does_not_stop_the_ads() -> None:
    value = (
        '{"1":[{"type":"ads_insights","call_count":100,"estimated_time_to_regain_access":30},'
        '{"type":"ads_management","call_count":5,"estimated_time_to_regain_access":0}]}'
    )
    assert parse_usage({BUSINESS: value}) == Usage(percent=5.0)


@pytest.mark.parametrize("kind", ['"something_new"', "7", "[]", "null"])
def test_a_type_that_nobody_knows_counts(kind: str) -> None:
    value = f'{{"1":[{{"type":{kind},"call_count":90,"estimated_time_to_regain_access":1}}]}}'
    assert parse_usage({BUSINESS: value}) == Usage(percent=90.0, wait_seconds=60.0)


def test_the_insights_header_is_read() -> None:
    value = '{"app_id_util_pct":"40.5","acc_id_util_pct":"10","ads_api_access_tier":"x"}'
    assert parse_usage({INSIGHTS: value}) == Usage(percent=40.5, tier="x")


def test_names_match_in_any_case_and_the_highest_of_all_headers_counts() -> None:
    usage = parse_usage(
        {
            "x-app-usage": '{"call_count":"28"}',
            "X-AD-ACCOUNT-USAGE": '{"acc_id_util_pct":"101","reset_time_duration":"30"}',
        }
    )
    assert usage == Usage(percent=101.0, wait_seconds=30.0, score_percent=101.0, app_percent=28.0)


def test_a_wait_without_end_is_a_day() -> None:
    value = '{"1":[{"type":"ads_management","estimated_time_to_regain_access":1e300}]}'
    assert parse_usage({BUSINESS: value}).wait_seconds == 86_400.0


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "null",
        "[]",
        "[1]",
        '"text"',
        '{"1":null}',
        '{"1":[null,1,"x",[]]}',
        '{"call_count":null,"acc_id_util_pct":{}}',
        '{"call_count":"many","acc_id_util_pct":"nan"}',
        '{"call_count":"1e999","acc_id_util_pct":true}',
        '{"call_count":-5,"acc_id_util_pct":"-5"}',
        "\ud800",
    ],
)
def test_garbage_means_nothing_used(value: str) -> None:
    assert parse_usage(dict.fromkeys((APP, ACCOUNT, BUSINESS, INSIGHTS), value)) == NO_USAGE


KEYS = st.sampled_from(
    [
        "call_count",
        "acc_id_util_pct",
        "reset_time_duration",
        "type",
        "1",
        "estimated_time_to_regain_access",
        "ads_api_access_tier",
    ]
)


@given(json_values(keys=KEYS, max_size=7))
def test_any_json_gives_a_usage(value: object) -> None:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # an integer that orjson cannot write
        text = str(value)
    usage = parse_usage(dict.fromkeys((APP, ACCOUNT, BUSINESS, INSIGHTS), text))
    assert usage.percent >= 0
    assert 0 <= usage.wait_seconds <= 86_400
