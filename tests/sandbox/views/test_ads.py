from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.sandbox.app import answer_call
from receiver.sandbox.calls.messages import Call
from tests.support.in_process import StillSandbox
from tests.support.json_strategies import SCALARS, json_values
from tests.support.sandbox import GraphCaller
from tests.support.sandbox_objects import (
    ACCOUNT,
    AD_SET,
    CAMPAIGN,
    CREATIVE,
    STORY,
    TARGETING,
    ad,
    ad_set,
    blamed,
    campaign,
    ids,
)


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


def test_a_creative_can_be_told_whole(graph: GraphCaller) -> None:
    ad_id = ad(graph, creative=json.dumps({"name": "whole", "object_story_spec": STORY}))
    shown = graph.get(f"/{ad_id}", fields="creative{name,object_story_spec}")["creative"]
    assert (shown["name"], shown["object_story_spec"]) == ("whole", STORY)
    assert ids(graph.get(f"{ACCOUNT}/adcreatives")) == [shown["id"]]


VALUES = json_values(SCALARS | st.sampled_from(["5", "{}", "[]", "{creative_id:7}"]))
NAMES = st.sampled_from(
    [
        *("name", "adset_id", "campaign_id", "creative", "targeting", "status", "objective"),
        *("billing_event", "object_story_spec", "bytes", "fields", "redownload"),
    ]
)
# With one of these two the call would be no create.
OTHER_NAMES = st.text(max_size=10).filter(lambda name: name not in ("batch", "method"))


def call(sandbox: StillSandbox, method: str, path: str, parameters: dict[str, Any]) -> Any:
    headers = {"content-type": "application/json", "authorization": "Bearer token"}
    body = json.dumps(parameters).encode()
    return json.loads(
        answer_call(sandbox, Call(method, "http://sandbox", path, "", headers, body)).body
    )


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "ads", "adcreatives", "adimages"])
@settings(deadline=None, max_examples=100)
@given(parameters=st.dictionaries(NAMES | OTHER_NAMES, VALUES, max_size=8))
def test_a_create_answers_an_object_or_an_error(edge: str, parameters: dict[str, Any]) -> None:
    sandbox = StillSandbox()
    made = call(sandbox, "POST", f"/act_1/{edge}", parameters)
    if "error" in made:
        assert made["error"]["code"] != 1
        assert made["error"]["fbtrace_id"]
    else:
        assert ("images" if edge == "adimages" else "id") in made
    any_status = {"effective_status": ["ACTIVE", "PAUSED", "DELETED", "ARCHIVED"]}
    listed = call(sandbox, "GET", f"/act_1/{edge}", any_status)["data"]
    assert len(listed) == ("error" not in made)
