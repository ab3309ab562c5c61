from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.sandbox import GraphCaller

ACCOUNT = "/v21.0/act_1"
NUMBERS = ("impressions", "reach", "clicks", "spend")


def filtering(field: str, *values: str, operator: str = "IN") -> str:
    return json.dumps([{"field": field, "operator": operator, "value": values}])


def create_ad(graph: GraphCaller, name: str, *, adset_id: str) -> str:
    ad_id: str = graph.post(f"{ACCOUNT}/ads", name=name, adset_id=adset_id)["id"]
    return ad_id


@pytest.fixture
def family(graph: GraphCaller) -> dict[str, Any]:
    """A campaign with two ad sets, of which the first has two ads and the second one."""
    campaign = graph.post(f"{ACCOUNT}/campaigns", name="c", objective="OUTCOME_TRAFFIC")["id"]
    terms = {"campaign_id": campaign, "targeting": "{}", "billing_event": "IMPRESSIONS"}
    ad_sets = [graph.post(f"{ACCOUNT}/adsets", name=name, **terms)["id"] for name in ("a", "b")]
    ads = [create_ad(graph, f"ad {number}", adset_id=ad_sets[number // 2]) for number in range(3)]
    return {"campaign": campaign, "ad_sets": ad_sets, "ads": ads}


def test_a_row_of_an_ad_says_whose_it_is(graph: GraphCaller, family: dict[str, Any]) -> None:
    ad_id = family["ads"][0]
    (row,) = graph.get(f"/{ad_id}/insights")["data"]
    expected = {"account_id": "1", "campaign_id": family["campaign"], "ad_id": ad_id}
    assert expected.items() <= row.items()
    assert row["impressions"].isdigit()
    assert float(row["spend"]) > 0
    assert "id" not in row
    (named,) = graph.get(f"/{ad_id}/insights", fields="ad_name,adset_name,ctr,actions")["data"]
    assert (named["ad_name"], named["adset_name"]) == ("ad 0", "a")
    assert set(named) == {"ad_name", "adset_name", "ctr", "date_start", "date_stop"}


def test_an_account_has_one_row(graph: GraphCaller) -> None:
    (row,) = graph.get(f"{ACCOUNT}/insights")["data"]
    assert set(row) == {"account_id", "impressions", "spend", "date_start", "date_stop"}


@pytest.mark.parametrize(("level", "count"), [("campaign", 1), ("adset", 2), ("ad", 3)])
@pytest.mark.parametrize("owner", ["account", "campaign"])
def test_a_level_has_a_row_for_each_of_its_objects(
    graph: GraphCaller, family: dict[str, Any], owner: str, level: str, count: int
) -> None:
    path = ACCOUNT if owner == "account" else f"/{family['campaign']}"
    page = graph.get(f"{path}/insights", level=level)
    assert len({row[f"{level}_id"] for row in page["data"]}) == count


@pytest.mark.parametrize("operator", ["IN", "in", "EQUAL"])
def test_insights_are_filtered_by_ads(
    graph: GraphCaller, family: dict[str, Any], operator: str
) -> None:
    wanted = filtering("ad.id", *family["ads"][1:], operator=operator)
    page = graph.get(f"{ACCOUNT}/insights", level="ad", filtering=wanted)
    assert [row["ad_id"] for row in page["data"]] == family["ads"][1:]


def test_rows_of_a_higher_level_are_sums(graph: GraphCaller, family: dict[str, Any]) -> None:
    wanted = {"filtering": filtering("ad.id", *family["ads"]), "fields": "impressions"}
    parts = graph.get(f"{ACCOUNT}/insights", level="ad", **wanted)["data"]
    total = sum(int(row["impressions"]) for row in parts)
    (whole,) = graph.get(f"{ACCOUNT}/insights", **wanted)["data"]
    assert int(whole["impressions"]) == total
    by_ad_set = graph.get(f"{ACCOUNT}/insights", level="adset", **wanted)["data"]
    assert [int(row["impressions"]) for row in by_ad_set] == [
        int(parts[0]["impressions"]) + int(parts[1]["impressions"]),
        int(parts[2]["impressions"]),
    ]


def test_rows_of_a_lower_level_are_those_in_it(graph: GraphCaller, family: dict[str, Any]) -> None:
    first = filtering("adset.id", family["ad_sets"][0])
    page = graph.get(f"{ACCOUNT}/insights", level="ad", filtering=first)
    assert [row["ad_id"] for row in page["data"]] == family["ads"][:2]


def test_several_filters_all_hold(graph: GraphCaller, family: dict[str, Any]) -> None:
    both = [
        {"field": "ad.id", "operator": "IN", "value": family["ads"]},
        {"field": "adset.id", "operator": "EQUAL", "value": family["ad_sets"][1]},
    ]
    page = graph.get(f"{ACCOUNT}/insights", level="ad", filtering=json.dumps(both))
    assert [row["ad_id"] for row in page["data"]] == family["ads"][2:]


@pytest.mark.parametrize(
    "text",
    [
        "[{field:ad.id,operator:IN,value:[6003356308839,6004164369439]}]",
        "[{field:'ad.id',operator:'IN',value:[6003356308839, 6004164369439]}]",
    ],
)
def test_a_filter_is_read_as_a_shell_leaves_it(graph: GraphCaller, text: str) -> None:
    page = graph.get(f"{ACCOUNT}/insights", level="ad", filtering=text)
    assert [row["ad_id"] for row in page["data"]] == ["6003356308839", "6004164369439"]
    assert len(graph.get(f"{ACCOUNT}/insights", filtering=text)["data"]) == 1


def test_what_is_not_there_has_no_row(graph: GraphCaller, family: dict[str, Any]) -> None:
    graph.delete(f"/{family['ads'][0]}")
    gone = filtering("ad.id", family["ads"][0], family["campaign"], "9" * 18)
    assert graph.get(f"{ACCOUNT}/insights", filtering=gone) == {"data": []}
    of_another = filtering("ad.id", family["ads"][1])
    assert graph.get("/act_2/insights", filtering=of_another) == {"data": []}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filtering", "ad.id"),
        ("filtering", "[5]"),
        ("filtering", '[{"field":"ad.name","operator":"IN","value":["a"]}]'),
        ("filtering", '[{"field":"ad.id","operator":"CONTAIN","value":["5"]}]'),
        ("filtering", '[{"field":"ad.id","operator":"IN","value":["five"]}]'),
        ("level", "galaxy"),
        ("date_preset", "next_year"),
        ("time_range", "{}"),
        ("time_range", "{since:2026-01-02,until:2026-01-01}"),
        ("fields", "nonsense"),
    ],
)
def test_what_is_wrong_is_named(graph: GraphCaller, name: str, value: str) -> None:
    error = graph.get(f"{ACCOUNT}/insights", **{name: value})["error"]
    assert error["error_data"] == {"blame_field_specs": [[name]]}


def test_a_row_says_which_days_it_is_about(graph: GraphCaller) -> None:
    days = {"time_range": "{since:2026-01-01,until:2026-01-31}"}
    (row,) = graph.get("/5/insights", **days)["data"]
    assert (row["date_start"], row["date_stop"]) == ("2026-01-01", "2026-01-31")
    (row,) = graph.get("/5/insights", date_preset="yesterday")["data"]
    now = datetime.now(UTC).date()
    assert row["date_start"] == row["date_stop"]
    assert row["date_start"] in {str(now - timedelta(days=days)) for days in (1, 2)}


def test_the_statistics_of_a_few_ads_are_read(graph: GraphCaller, family: dict[str, Any]) -> None:
    page = graph.get(f"{ACCOUNT}/adgroupstats")
    assert [row["adgroup_id"] for row in page["data"]] == family["ads"]
    (row,) = graph.get(f"/{family['ads'][0]}/insights")["data"]
    assert page["data"][0]["impressions"] == row["impressions"]


def test_the_statistics_of_many_ads_time_out(graph: GraphCaller) -> None:
    graph.create("1", [{"name": "an ad", "adset_id": "5"}] * 100)
    assert "error" not in graph.get(f"{ACCOUNT}/adgroupstats")
    last = create_ad(graph, "one more", adset_id="5")
    answer = graph.call("GET", f"{ACCOUNT}/adgroupstats")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (500, 1, 99)
    graph.delete(f"/{last}")
    assert "error" not in graph.get(f"{ACCOUNT}/adgroupstats")


def test_a_reach_depends_on_the_targeting_alone(graph: GraphCaller) -> None:
    def estimate(targeting: str) -> Any:
        return graph.get("/act_600335/reachestimate", targeting_spec=targeting)["data"]

    america = estimate("{'geo_locations': {'countries':['US']}}")
    assert america == estimate('{"geo_locations":{"countries":["US"]}}')
    assert america == estimate("{geo_locations: {countries:[US]}}")
    assert america != estimate("{geo_locations: {countries:[FR]}}")
    assert set(america) == {"users_lower_bound", "users_upper_bound", "estimate_ready"}
    assert 0 < america["users_lower_bound"] < america["users_upper_bound"]


@pytest.mark.parametrize("targeting", ["", "everybody", "[]", "{"])
def test_a_reach_needs_a_targeting(graph: GraphCaller, targeting: str) -> None:
    error = graph.get(f"{ACCOUNT}/reachestimate", targeting_spec=targeting)["error"]
    assert error["error_data"] == {"blame_field_specs": [["targeting_spec"]]}
