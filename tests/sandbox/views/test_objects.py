from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.sandbox.app import answer_call
from receiver.sandbox.calls.messages import Call
from tests.support.in_process import StillSandbox
from tests.support.sandbox import GraphCaller, SandboxControl

ACCOUNT = "/v21.0/act_1"
TARGETING = {"geo_locations": {"countries": ["US"]}}
STORY = {"page_id": "9", "link_data": {"link": "https://www.test12345.com"}}
CAMPAIGN = {"name": "a campaign", "objective": "OUTCOME_TRAFFIC", "buying_type": "AUCTION"}
AD_SET = {"name": "an ad set", "billing_event": "IMPRESSIONS", "daily_budget": "5000"}
CREATIVE = {"name": "a creative", "object_story_spec": json.dumps(STORY)}
NEVER_GIVEN = "9" * 18


def campaign(graph: GraphCaller, **more: Any) -> str:
    created: str = graph.post(f"{ACCOUNT}/campaigns", **{**CAMPAIGN, **more})["id"]
    return created


def ad_set(graph: GraphCaller, campaign_id: str = "60", **more: Any) -> str:
    terms = {**AD_SET, "campaign_id": campaign_id, "targeting": json.dumps(TARGETING), **more}
    created: str = graph.post(f"{ACCOUNT}/adsets", **terms)["id"]
    return created


def ad(graph: GraphCaller, adset_id: str = "5", *, name: str = "an ad", **more: Any) -> str:
    created: str = graph.post(f"{ACCOUNT}/ads", name=name, adset_id=adset_id, **more)["id"]
    return created


def ids(page: Any) -> list[str]:
    return [each["id"] for each in page["data"]]


def blamed(answer: Any) -> list[Any]:
    assert answer["error"]["code"] == 100
    fields: list[Any] = answer["error"]["error_data"]["blame_field_specs"]
    return fields


def is_missing(answer: Any) -> bool:
    error = answer.get("error", {})
    return (error.get("code"), error.get("error_subcode")) == (100, 33)


@pytest.mark.parametrize("encoding", ["form", "multipart", "json"])
def test_an_ad_may_come_in_any_encoding(graph: GraphCaller, encoding: str) -> None:
    form = {"name": "an ad", "adset_id": "5", "creative": '{"creative_id": "7"}'}
    arguments: dict[str, dict[str, Any]] = {
        "form": {"data": form},
        "multipart": {"files": {name: (None, value) for name, value in form.items()}},
        "json": {"json": {**form, "adset_id": 5, "creative": {"creative_id": 7}}},
    }
    created = graph.call("POST", f"{ACCOUNT}/ads", **arguments[encoding]).json()
    assert list(created) == ["id"]
    shown = graph.get(f"/{created['id']}", fields="name,adset_id,creative,account_id,status")
    assert shown == {
        "id": created["id"],
        "name": "an ad",
        "adset_id": "5",
        "creative": {"id": "7"},
        "account_id": "1",
        "status": "ACTIVE",
    }


def test_an_ad_shows_what_it_is_in_and_made_of(graph: GraphCaller) -> None:
    campaign_id = campaign(graph)
    ad_set_id = ad_set(graph, campaign_id)
    creative_id = graph.post(f"{ACCOUNT}/adcreatives", **CREATIVE)["id"]
    ad_id = ad(graph, ad_set_id, creative=json.dumps({"creative_id": creative_id}))
    fields = "campaign_id,campaign{name,objective},adset{name,targeting},creative{id,name}"
    assert graph.get(f"/{ad_id}", fields=fields) == {
        "id": ad_id,
        "campaign_id": campaign_id,
        "campaign": {"id": campaign_id, "name": "a campaign", "objective": "OUTCOME_TRAFFIC"},
        "adset": {"id": ad_set_id, "name": "an ad set", "targeting": TARGETING},
        "creative": {"id": creative_id, "name": "a creative"},
    }


def test_a_create_with_fields_reads_what_was_made(graph: GraphCaller) -> None:
    answer = graph.post(f"{ACCOUNT}/campaigns", **CAMPAIGN, fields="name,effective_status")
    assert answer == {"id": answer["id"], "name": "a campaign", "effective_status": "ACTIVE"}
    refused = graph.post(f"{ACCOUNT}/campaigns", **CAMPAIGN, fields="nonsense")
    assert blamed(refused) == [["fields"]]
    assert len(ids(graph.get(f"{ACCOUNT}/campaigns"))) == 1


def test_a_redownload_answers_the_whole_object(graph: GraphCaller) -> None:
    made = graph.post(f"{ACCOUNT}/ads", name="an ad", adset_id="5", redownload="1")
    assert {"id", "name", "adset_id", "account_id", "created_time", "status"} <= set(made)
    changed = graph.post(f"/{made['id']}", name="another name", redownload="true")
    assert {**made, "name": "another name"}.items() <= {
        **changed,
        "updated_time": made["updated_time"],
    }.items()
    assert graph.post(f"/{made['id']}", name="x", redownload="0") == {"success": True}


@pytest.mark.parametrize(
    ("edge", "missing", "parameters"),
    [
        ("campaigns", "name", {"objective": "OUTCOME_TRAFFIC"}),
        ("campaigns", "objective", {"name": "a campaign"}),
        ("adsets", "name", {"campaign_id": "60", "targeting": "{}", "billing_event": "CLICKS"}),
        ("adsets", "campaign_id", {**AD_SET, "targeting": "{}"}),
        ("adsets", "targeting", {**AD_SET, "campaign_id": "60"}),
        ("ads", "name", {"adset_id": "5"}),
        ("ads", "adset_id", {"name": "an ad"}),
        ("ads", "adset_id", {"name": "an ad", "adset_id": "five"}),
        ("adcreatives", "object_story_spec", {"name": "a creative"}),
    ],
)
def test_what_is_required_and_missing_is_named(
    graph: GraphCaller, edge: str, missing: str, parameters: dict[str, str]
) -> None:
    answer = graph.post(f"{ACCOUNT}/{edge}", **parameters)
    assert blamed(answer) == [[missing]]
    assert answer["error"]["message"] == f"(#100) The parameter {missing} is required."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("creative", "no JSON"),
        ("creative", "5"),
        ("creative", "[]"),
        ("creative", '{"creative_id": "seven"}'),
        ("targeting", "{"),
        ("status", "SLEEPING"),
        ("name", ""),
        ("redownload", "perhaps"),
        ("adset_id", ""),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    graph: GraphCaller, name: str, value: str
) -> None:
    wrong = {"name": "an ad", "adset_id": "5", name: value}
    assert blamed(graph.post(f"{ACCOUNT}/ads", **wrong)) == [[name]]
    assert graph.get(f"{ACCOUNT}/ads") == {"data": []}


def test_what_a_shell_leaves_of_json_is_read(graph: GraphCaller) -> None:
    ad_set_id = ad_set(graph, targeting="{'geo_locations': {countries:[US]},}")
    assert graph.get(f"/{ad_set_id}", fields="targeting")["targeting"] == TARGETING


def test_what_a_node_does_not_have_is_passed_over(graph: GraphCaller) -> None:
    ad_id = ad(graph, optimization_goal="REACH", id="3", account_id="4")
    assert graph.get(f"/{ad_id}", fields="account_id")["account_id"] == "1"
    assert blamed(graph.get(f"/{ad_id}", fields="optimization_goal")) == [["fields"]]


def test_a_name_that_holds_fail_fails_a_create_and_no_update(graph: GraphCaller) -> None:
    for edge, parameters in (("ads", {"adset_id": "5"}), ("adcreatives", CREATIVE)):
        answer = graph.post(f"{ACCOUNT}/{edge}", **{**parameters, "name": "will fail"})
        assert "error" in answer
        assert graph.get(f"{ACCOUNT}/{edge}") == {"data": []}
    ad_id = ad(graph)
    assert graph.post(f"/{ad_id}", name="will fail") == {"success": True}


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


def test_an_object_from_elsewhere_gets_its_parent_by_an_update(graph: GraphCaller) -> None:
    assert graph.post("/70", adset_id="5") == {"success": True}
    assert ids(graph.get("/5/ads")) == ["70"]


def test_a_creative_can_be_told_whole(graph: GraphCaller) -> None:
    ad_id = ad(graph, creative=json.dumps({"name": "whole", "object_story_spec": STORY}))
    shown = graph.get(f"/{ad_id}", fields="creative{name,object_story_spec}")["creative"]
    assert (shown["name"], shown["object_story_spec"]) == ("whole", STORY)
    assert ids(graph.get(f"{ACCOUNT}/adcreatives")) == [shown["id"]]


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


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["5", "{}", "[]", "{creative_id:7}"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("name", "adset_id", "campaign_id", "creative", "targeting", "status", "objective"),
        *("billing_event", "object_story_spec", "bytes", "fields", "redownload"),
    ]
)


def call(sandbox: StillSandbox, method: str, path: str, parameters: dict[str, Any]) -> Any:
    headers = {"content-type": "application/json", "authorization": "Bearer token"}
    body = json.dumps(parameters).encode()
    return json.loads(
        answer_call(sandbox, Call(method, "http://sandbox", path, "", headers, body)).body
    )


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "ads", "adcreatives", "adimages"])
@settings(deadline=None, max_examples=100)
@given(parameters=st.dictionaries(NAMES | st.text(max_size=10), VALUES, max_size=8))
def test_a_create_answers_an_object_or_an_error(edge: str, parameters: dict[str, Any]) -> None:
    sandbox = StillSandbox()
    made = call(sandbox, "POST", f"/act_1/{edge}", parameters)
    if "error" in made:
        assert made["error"]["code"] != 1
        assert made["error"]["fbtrace_id"]
    else:
        assert ("images" if edge == "adimages" else "id") in made
    listed = call(sandbox, "GET", f"/act_1/{edge}", {})["data"]
    assert len(listed) == ("error" not in made)
