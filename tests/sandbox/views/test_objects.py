from __future__ import annotations

import pytest

from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sandbox_objects import (
    ACCOUNT,
    CREATIVE,
    STORY,
    ad,
    ad_set,
    blamed,
    campaign,
    ids,
    is_missing,
)


def test_any_known_field_can_be_changed_but_the_parent(graph: GraphCaller) -> None:
    ad_set_id = ad_set(graph, "60")
    changes = {"daily_budget": "100", "status": "PAUSED", "campaign_id": "60"}
    assert graph.post(f"/{ad_set_id}", **changes) == {"success": True}
    fields = "daily_budget,status,configured_status,effective_status"
    assert graph.get(f"/{ad_set_id}", fields=fields) == {
        "id": ad_set_id,
        "daily_budget": "100",
        "status": "PAUSED",
        "configured_status": "PAUSED",
        "effective_status": "PAUSED",
    }
    assert blamed(graph.post(f"/{ad_set_id}", campaign_id="61")) == [["campaign_id"]]


@pytest.mark.parametrize(
    ("name", "value"), [("object_story_spec", "{}"), ("title", "new"), ("object_id", "5")]
)
def test_a_creative_can_only_be_renamed_and_switched(
    graph: GraphCaller, name: str, value: str
) -> None:
    creative = graph.post(f"{ACCOUNT}/adcreatives", **CREATIVE)["id"]
    assert blamed(graph.post(f"/{creative}", name="new", **{name: value})) == [[name]]
    assert graph.post(f"/{creative}", name="newer", status="PAUSED") == {"success": True}
    shown = graph.get(f"/{creative}", fields="name,status,object_story_spec")
    assert (shown["name"], shown["status"]) == ("newer", "PAUSED")
    assert shown["object_story_spec"] == STORY


def test_what_was_deleted_is_gone(graph: GraphCaller) -> None:
    ad_id = ad(graph, "5", creative='{"creative_id": "7"}')
    other = ad(graph, "5")
    for deleted in (other, "7", "5"):
        assert graph.delete(f"/{deleted}") == {"success": True}
        assert is_missing(graph.get(f"/{deleted}"))
        assert is_missing(graph.delete(f"/{deleted}"))
    assert ids(graph.get(f"{ACCOUNT}/ads")) == [ad_id]
    assert graph.get(f"/{ad_id}", fields="creative,adset{name}") == {"id": ad_id}
    assert is_missing(graph.post(f"{ACCOUNT}/ads", name="an ad", adset_id="5"))


def test_ads_are_listed_by_what_they_are_in(graph: GraphCaller) -> None:
    campaigns = [campaign(graph), campaign(graph)]
    ad_sets = [ad_set(graph, campaign_id) for campaign_id in campaigns]
    ads = [ad(graph, ad_set_id) for ad_set_id in ad_sets]
    assert [ids(graph.get(f"/{each}/ads")) for each in ad_sets] == [[each] for each in ads]
    assert [ids(graph.get(f"/{each}/ads")) for each in campaigns] == [[each] for each in ads]
    assert ids(graph.get(f"/{campaigns[0]}/adsets")) == [ad_sets[0]]
    assert ids(graph.get(f"{ACCOUNT}/ads")) == ads
    assert graph.get("/act_2/ads") == {"data": []}


@pytest.mark.parametrize("form", ["[{}]", "[{}, 404]", '["{}"]', "['{}']"])
def test_ads_are_filtered_by_ad_sets_and_campaigns(graph: GraphCaller, form: str) -> None:
    campaign_id = campaign(graph)
    ad_set_id = ad_set(graph, campaign_id)
    wanted = ad(graph, ad_set_id)
    ad(graph, "5")
    for name, object_id in (("adset_ids", ad_set_id), ("campaign_ids", campaign_id)):
        page = graph.get(f"{ACCOUNT}/ads", **{name: form.format(object_id)})
        assert ids(page) == [wanted]
        assert blamed(graph.get(f"{ACCOUNT}/ads", **{name: "5"})) == [[name]]


def test_objects_are_filtered_by_their_status(graph: GraphCaller) -> None:
    statuses = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
    ads = {status: ad(graph, status=status) for status in statuses}
    assert ids(graph.get(f"{ACCOUNT}/ads")) == [ads["ACTIVE"], ads["PAUSED"]]
    page = graph.get(f"{ACCOUNT}/ads", effective_status='["PAUSED","ARCHIVED"]', summary="true")
    assert ids(page) == [ads["PAUSED"], ads["ARCHIVED"]]
    assert page["summary"] == {"total_count": 2}


def test_edges_are_expanded_and_paged(graph: GraphCaller) -> None:
    ads = [ad(graph, "5", name=f"ad {number}") for number in range(3)]
    shown = graph.get("/5", fields="ads.limit(2){id,name}")["ads"]
    assert shown["data"] == [{"id": ads[0], "name": "ad 0"}, {"id": ads[1], "name": "ad 1"}]
    following = graph.session.get(shown["paging"]["next"]).json()
    assert following["data"] == [{"id": ads[2], "name": "ad 2"}]


def test_a_page_keeps_its_place_when_what_is_before_it_is_deleted(graph: GraphCaller) -> None:
    ads = [ad(graph) for _ in range(4)]
    after = graph.get(f"{ACCOUNT}/ads", limit="2")["paging"]["cursors"]["after"]
    graph.delete(f"/{ads[0]}")
    assert ids(graph.get(f"{ACCOUNT}/ads", after=after)) == ads[2:]


def test_a_campaign_lists_the_requests_in_all_of_its_ad_sets(graph: GraphCaller) -> None:
    campaign_id = campaign(graph)
    ad_sets = [ad_set(graph, campaign_id) for _ in range(2)]
    specs = [{"name": "an ad", "adset_id": each} for each in (*ad_sets, "5", ad_sets[0])]
    graph.create("1", specs)
    page = graph.get(f"/{campaign_id}/asyncadrequests")
    scopes = [request["scope_object_id"] for request in page["data"]]
    assert scopes == [ad_sets[0], ad_sets[1], ad_sets[0]]
    assert len(graph.get(f"/{ad_sets[0]}/asyncadrequests")["data"]) == 2


def test_what_a_set_makes_is_there(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    spec = {"name": "an ad", "adset_id": 5, "creative": {"name": "c", "object_story_spec": STORY}}
    set_id = graph.create("1", [spec])
    assert graph.get(f"{ACCOUNT}/ads") == {"data": []}
    sandbox.complete(set_id)
    (request,) = graph.get(f"/{set_id}/requests", fields="result")["data"]
    (listed,) = graph.get("/5/ads", fields="name,creative{object_story_spec}")["data"]
    assert listed["id"] == request["result"]["id"]
    assert listed["creative"]["object_story_spec"] == STORY
