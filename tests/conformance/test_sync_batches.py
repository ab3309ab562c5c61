"""The page's second part: several calls in one, and the objects that its examples act on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.curl import Entry, Shell, entries
from tests.conformance.page import ad_spec
from tests.support.sandbox import GraphCaller

ACCOUNT = "act_187687683"
AD_SETS = ("6003356307839", "6004164259439")
FIELDS = {"<comma separated list of fields>": "id,name,adset_id"}
IMAGE_OPERATION = '"name": "create_adimage",'
CREATIVE_OPERATION = '"name": "create_creative",'
KEEP = ' "omit_response_on_success": false,'
ESTIMATE = {"method": "GET", "relative_url": 'act_1/reachestimate?targeting_spec={"age_min":20}'}


def succeeded(answers: list[Entry | None]) -> list[Entry]:
    """Return the entries of a batch of which every operation answered, and with 200."""
    found = [entry for entry in answers if entry is not None]
    assert len(found) == len(answers)
    assert [entry.code for entry in found] == [200] * len(found), found
    return found


def send(graph: GraphCaller, operations: list[Any]) -> Any:
    return graph.call("POST", "/", data={"batch": json.dumps(operations)})


def create_ad(graph: GraphCaller, name: str, *, adset_id: str) -> str:
    creative = json.dumps({"creative_id": "6003356300001"})
    ad = {"name": name, "adset_id": adset_id, "creative": creative, "status": "PAUSED"}
    ad_id: str = graph.post(f"/{ACCOUNT}/ads", **ad)["id"]
    return ad_id


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON value, the outermost first."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, dict | list):
            yield from objects_in(member)


def test_three_ads_are_created_from_one_creative(shell: Shell, graph: GraphCaller) -> None:
    answers = entries(shell.paste("create-ads"))
    # The image and the creative are null: they succeeded and others use them.
    assert answers[:2] == [None, None]
    ids = [entry.body["id"] for entry in succeeded(answers[2:])]
    ads = [graph.get(f"/{ad_id}", fields="name,adset_id,status,creative") for ad_id in ids]
    assert [ad["name"] for ad in ads] == ["test1", "test2", "test3"]
    assert {ad["adset_id"] for ad in ads} == {"6004163746239"}
    assert {ad["status"] for ad in ads} == {"PAUSED"}
    assert len({ad["creative"]["id"] for ad in ads}) == 1


def test_the_creative_holds_the_hash_of_the_image(shell: Shell, graph: GraphCaller) -> None:
    filling = {each: each + KEEP for each in (IMAGE_OPERATION, CREATIVE_OPERATION)}
    image, creative, *_ = succeeded(entries(shell.paste("create-ads", filling)))
    (upload,) = image.body["images"].values()
    fields = "name,object_story_spec,degrees_of_freedom_spec"
    shown = graph.get(f"/{creative.body['id']}", fields=fields)
    assert shown["name"] == "sample creative"
    assert shown["degrees_of_freedom_spec"] == {
        "creative_features_spec": {"standard_enhancements": {"enroll_status": "OPT_OUT"}}
    }
    assert shown["object_story_spec"] == {
        "link_data": {
            "image_hash": upload["hash"],
            "link": "https://www.test12345.com",
            "message": "this is a sample message",
        },
        "page_id": "12345678",
    }


def test_every_operation_has_a_code_of_its_own(shell: Shell) -> None:
    # Without a story the creative cannot be made, and without a creative no ad.
    filling = {"object_story_spec": "nothing", IMAGE_OPERATION: IMAGE_OPERATION + KEEP}
    image, creative, *ads = entries(shell.paste("create-ads", filling))
    assert image is not None
    assert creative is not None
    assert (image.code, creative.code) == (200, 400)
    assert creative.body["error"]["code"] == 100
    assert ads == [None, None, None]


def test_three_ads_are_updated_and_shown(shell: Shell, graph: GraphCaller) -> None:
    ids = [create_ad(graph, name, adset_id=AD_SETS[0]) for name in ("one", "two", "three")]
    printed = ("<API_VERSION>/6004251715639", "<API_VERSION>/6004251716039", "6004251715839")
    filling = dict(zip(printed, ("v21.0/" + ids[0], "v21.0/" + ids[1], ids[2]), strict=True))
    for ad_id, entry in zip(
        ids, succeeded(entries(shell.paste("update-ads", filling))), strict=True
    ):
        (shown,) = [each for each in objects_in(entry.body) if each.get("id") == ad_id]
        assert (shown["name"], shown["adset_id"]) == ("new name", AD_SETS[0])
    names = graph.get("/", ids=",".join(ids), fields="name")
    assert [names[ad_id]["name"] for ad_id in ids] == ["new name"] * 3


def test_ads_that_nobody_created_are_updated_too(shell: Shell) -> None:
    ids = ("6004251715639", "6004251716039", "6004251715839")
    for ad_id, entry in zip(ids, succeeded(entries(shell.paste("update-ads"))), strict=True):
        (shown,) = [each for each in objects_in(entry.body) if each.get("id") == ad_id]
        assert shown["name"] == "new name"


@pytest.mark.sandbox_only("a key may not change what is no object of its accounts: 403, not 400")
def test_an_update_as_printed_fails_in_one_operation_only(shell: Shell) -> None:
    first, second, third = entries(shell.paste("update-ads", as_printed=True))
    assert [entry and entry.code for entry in (first, third)] == [200, 200]
    assert second is not None
    assert (second.code, set(second.body)) == (400, {"error"})


def test_redownload_may_stand_in_the_relative_url(graph: GraphCaller) -> None:
    ad_id = create_ad(graph, "one", adset_id=AD_SETS[0])
    update = {"method": "POST", "relative_url": f"{ad_id}?redownload=1", "body": "name=new+name"}
    (entry,) = send(graph, [update]).json()
    (shown,) = [each for each in objects_in(json.loads(entry["body"])) if each.get("id") == ad_id]
    assert (shown["name"], shown["adset_id"]) == ("new name", AD_SETS[0])


def test_an_ads_creative_is_replaced_by_another_or_a_whole_one(graph: GraphCaller) -> None:
    ad_id = create_ad(graph, "one", adset_id=AD_SETS[0])
    story = {"page_id": "12345678", "link_data": {"link": "https://www.test12345.com"}}
    whole = {"name": "whole", "object_story_spec": story}
    assert "error" not in graph.post(f"/{ad_id}", creative='{"creative_id": "6003356300002"}')
    assert graph.get(f"/{ad_id}", fields="creative")["creative"]["id"] == "6003356300002"
    assert "error" not in graph.post(f"/{ad_id}", creative=json.dumps(whole))
    creative = graph.get(f"/{ad_id}", fields="creative")["creative"]["id"]
    assert creative != "6003356300002"
    assert graph.get(f"/{creative}", fields="name")["name"] == "whole"


def test_a_creative_can_be_edited_in_name_and_run_status_only(graph: GraphCaller) -> None:
    story = {"page_id": "12345678", "link_data": {"link": "https://www.test12345.com"}}
    creative = graph.post(
        f"/{ACCOUNT}/adcreatives", name="creative", object_story_spec=json.dumps(story)
    )["id"]
    assert graph.post(f"/{creative}", name="new name") == {"success": True}
    assert graph.post(f"/{creative}", status="ACTIVE") == {"success": True}
    refused = graph.call("POST", f"/{creative}", data={"object_story_spec": "{}"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)
    shown = graph.get(f"/{creative}", fields="name,object_story_spec")
    assert shown == {"id": creative, "name": "new name", "object_story_spec": story}


def test_many_ads_are_read_in_several_operations(shell: Shell, graph: GraphCaller) -> None:
    first, second = (create_ad(graph, name, adset_id=AD_SETS[0]) for name in ("one", "two"))
    third = create_ad(graph, "three", adset_id=AD_SETS[1])
    create_ad(graph, "of another ad set", adset_id="6004164259440")
    filling = {**FIELDS, "6003356308839": first, "6004164369439": third}
    by_id, of_ad_set, of_ad_sets = succeeded(entries(shell.paste("read-ads", filling)))
    assert by_id.body == {
        first: {"id": first, "name": "one", "adset_id": AD_SETS[0]},
        third: {"id": third, "name": "three", "adset_id": AD_SETS[1]},
    }
    assert {ad["id"] for ad in of_ad_set.body["data"]} == {first, second}
    assert {ad["id"] for ad in of_ad_sets.body["data"]} == {first, second, third}
    assert all(set(ad) == {"id", "name", "adset_id"} for ad in of_ad_sets.body["data"])


def test_ads_that_nobody_created_are_read_too(shell: Shell) -> None:
    by_id, *_ = succeeded(entries(shell.paste("read-ads", FIELDS)))
    assert set(by_id.body) == {"6003356308839", "6004164369439"}
    assert [ad["id"] for ad in by_id.body.values()] == list(by_id.body)


def test_many_insights_are_read_in_several_operations(shell: Shell) -> None:
    answers = succeeded(entries(shell.paste("read-insights")))
    for entry in answers:
        assert entry.body["data"], entry
        assert all("impressions" in row for row in entry.body["data"])
    again = succeeded(entries(shell.paste("read-insights")))
    assert [entry.body for entry in again] == [entry.body for entry in answers]


def test_insights_are_filtered_as_the_example_says(graph: GraphCaller) -> None:
    ads = [create_ad(graph, name, adset_id=AD_SETS[0]) for name in ("one", "two", "three")]
    wanted = [{"field": "ad.id", "operator": "IN", "value": ads[:2]}]
    page = graph.get(f"/{ACCOUNT}/insights", level="ad", filtering=json.dumps(wanted))
    assert {row["ad_id"] for row in page["data"]} == set(ads[:2])


def test_the_statistics_of_an_accounts_ads_are_read(graph: GraphCaller) -> None:
    ads = {create_ad(graph, name, adset_id=AD_SETS[0]) for name in ("one", "two")}
    page = graph.get(f"/{ACCOUNT}/adgroupstats")
    assert {row["adgroup_id"] for row in page["data"]} == ads


def test_the_statistics_of_a_large_number_of_ads_time_out(graph: GraphCaller) -> None:
    graph.create(ACCOUNT.removeprefix("act_"), [ad_spec(f"ad {number}") for number in range(500)])
    answer = graph.call("GET", f"/{ACCOUNT}/adgroupstats")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 1)
    insights = {"method": "GET", "relative_url": f"{ACCOUNT}/insights"}
    (entry,) = send(graph, [insights]).json()
    assert entry["code"] == 200


def test_two_reach_estimates_are_read(shell: Shell) -> None:
    for entry in succeeded(entries(shell.paste("reach-estimates"))):
        assert set(entry.body) == {"data"}
        assert any(type(value) is int for value in entry.body["data"].values())


@pytest.mark.sandbox_only("a receiver takes more than fifty operations")
def test_a_batch_holds_fifty_reach_estimates_and_no_more(graph: GraphCaller) -> None:
    answer = send(graph, [ESTIMATE] * 50)
    assert [entry["code"] for entry in answer.json()] == [200] * 50
    refused = send(graph, [ESTIMATE] * 51)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"]) == (400, "GraphBatchException")
    assert "50" in error["message"]


def test_a_batch_goes_to_a_version_too(shell: Shell) -> None:
    answer = shell.paste("reach-estimates", {"graph.facebook.com": "graph.facebook.com/v21.0/"})
    assert len(succeeded(entries(answer))) == 2
