from __future__ import annotations

from tests.support.sandbox import GraphCaller
from tests.support.sandbox_objects import (
    ACCOUNT,
    AD_SET,
    NEVER_GIVEN,
    ad,
    ad_set,
    blamed,
    campaign,
    ids,
    is_missing,
)


def test_a_parent_exists_from_its_first_use(graph: GraphCaller) -> None:
    ad(graph, "5")
    assert ids(graph.get(f"{ACCOUNT}/adsets")) == ["5"]
    assert graph.get("/5", fields="account_id") == {"id": "5", "account_id": "1"}


def test_a_parent_that_only_the_sandbox_could_have_made_is_missing(graph: GraphCaller) -> None:
    answer = graph.post(f"{ACCOUNT}/ads", name="an ad", adset_id=NEVER_GIVEN)
    assert is_missing(answer)


def test_a_parent_of_another_kind_or_account_is_named(graph: GraphCaller) -> None:
    campaign_id = campaign(graph)
    set_id = graph.create("1", [{"name": "an ad", "adset_id": "5"}])
    for wrong in (campaign_id, set_id):
        answer = graph.post(f"{ACCOUNT}/ads", name="an ad", adset_id=wrong)
        assert blamed(answer) == [["adset_id"]]
    terms = {**AD_SET, "campaign_id": campaign_id, "targeting": "{}"}
    assert blamed(graph.post("/act_2/adsets", **terms)) == [["campaign_id"]]


def test_an_object_that_nobody_changed_may_be_of_another_kind(graph: GraphCaller) -> None:
    assert graph.get("/60", fields="adset_id") == {"id": "60"}
    assert graph.get("/60", fields="objective") == {"id": "60"}
    ad(graph, "60")
    ad_set(graph, "60")
    assert ids(graph.get(f"{ACCOUNT}/campaigns")) == ["60"]
    assert ids(graph.get(f"{ACCOUNT}/adsets")) != ["60"]


def test_an_object_that_was_changed_stays_of_its_kind(graph: GraphCaller) -> None:
    assert graph.post("/60", daily_budget="100") == {"success": True}
    assert graph.get("/60", fields="daily_budget") == {"id": "60", "daily_budget": "100"}
    terms = {**AD_SET, "campaign_id": "60", "targeting": "{}"}
    assert blamed(graph.post(f"{ACCOUNT}/adsets", **terms)) == [["campaign_id"]]


def test_an_object_from_elsewhere_gets_its_parent_by_an_update(graph: GraphCaller) -> None:
    assert graph.post("/70", adset_id="5") == {"success": True}
    assert ids(graph.get("/5/ads")) == ["70"]
