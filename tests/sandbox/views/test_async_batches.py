from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.sandbox import GraphCaller, SandboxControl

EDGE = "/v21.0/act_1/async_batch_requests"
BY_HAND = {"kind": "by_hand"}


def operation(name: str, *, after: str = "", ad: str | None = None) -> dict[str, str]:
    return {
        "name": name,
        "relative_url": "act_1/ads",
        "body": f"name={ad or name}{after}&adset_id=5",
    }


CHAIN = [
    operation("parent"),
    operation("child", after=" {result=parent:$.id}"),
    operation("grandchild", after=" {result=child:$.id}"),
    operation("stranger"),
]


def create(graph: GraphCaller, operations: list[Any]) -> str:
    set_id: str = graph.post(EDGE, name="batch", adbatch=json.dumps(operations))["id"]
    return set_id


def statuses(graph: GraphCaller, set_id: str) -> list[str]:
    return [request["status"] for request in graph.get(f"/{set_id}/requests")["data"]]


def test_an_operation_answers_what_the_call_would_have(graph: GraphCaller) -> None:
    set_id = create(graph, [operation("one", ad="first")])
    (request,) = graph.get(f"/{set_id}/requests", fields="status,result,type,input")["data"]
    assert (request["status"], request["type"]) == ("SUCCESS", "BATCH_API")
    assert request["input"]["relative_url"] == "act_1/ads"
    shown = graph.get(f"/{request['result']['id']}", fields="name,adset_id")
    assert (shown["name"], shown["adset_id"]) == ("first", "5")


def test_dependents_wait_and_are_done_in_order(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress=BY_HAND)
    set_id = create(graph, CHAIN)
    waiting = "PENDING_DEPENDENCY"
    assert statuses(graph, set_id) == ["INITIAL", waiting, waiting, "INITIAL"]
    counts = graph.get(f"/{set_id}", fields="total_count,initial_count,is_completed")
    assert (counts["total_count"], counts["initial_count"]) == (4, 4)
    sandbox.advance(set_id, requests=1)
    assert statuses(graph, set_id) == ["SUCCESS", "IN_PROGRESS", waiting, "INITIAL"]
    sandbox.complete(set_id)
    results = graph.get(f"/{set_id}/requests", fields="result")["data"]
    ids = [request["result"]["id"] for request in results]
    assert graph.get(f"/{ids[1]}", fields="name")["name"] == f"child {ids[0]}"
    assert graph.get(f"/{ids[2]}", fields="name")["name"] == f"grandchild {ids[1]}"


def test_what_depends_on_a_failure_fails_and_nothing_else(graph: GraphCaller) -> None:
    set_id = create(graph, [operation("parent", ad="will fail"), *CHAIN[1:]])
    dependent = "ERROR_DEPENDENCY"
    assert statuses(graph, set_id) == ["ERROR", dependent, dependent, "SUCCESS"]
    counts = graph.get(f"/{set_id}", fields="success_count,error_count,is_completed")
    assert (counts["success_count"], counts["error_count"]) == (1, 3)
    assert counts["is_completed"] is True
    results = graph.get(f"/{set_id}/requests", fields="result", status=dependent)["data"]
    assert [request["result"]["error_code"] for request in results] == [960, 960]


def test_what_depends_on_a_cancelled_one_is_cancelled_with_it(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure("1", progress=BY_HAND)
    set_id = create(graph, CHAIN)
    parent = graph.get(f"/{set_id}/requests")["data"][0]["id"]
    assert graph.delete(f"/{parent}") == {"success": True}
    dependent = "CANCELED_DEPENDENCY"
    assert statuses(graph, set_id) == ["CANCELED", dependent, dependent, "INITIAL"]
    assert graph.get(f"/{set_id}", fields="canceled_count")["canceled_count"] == 3
    sandbox.complete(set_id)
    assert statuses(graph, set_id)[3] == "SUCCESS"


def test_a_whole_batch_can_be_cancelled(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress=BY_HAND)
    set_id = create(graph, CHAIN)
    assert graph.delete(f"/{set_id}") == {"success": True}
    assert graph.get(f"/{set_id}", fields="canceled_count,is_completed")["canceled_count"] == 4


@pytest.mark.parametrize("reference", ["{result=nobody:$.id}", "{result=parent:$.nothing}"])
def test_a_reference_to_nothing_fails_its_operation(graph: GraphCaller, reference: str) -> None:
    set_id = create(graph, [operation("parent"), operation("child", after=reference)])
    assert statuses(graph, set_id) == ["SUCCESS", "ERROR_DEPENDENCY"]


def test_the_uri_is_given_by_an_update(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress=BY_HAND)
    set_id = create(graph, CHAIN)
    uri = "http://127.0.0.1:1/hook"
    answer = graph.post(f"/{set_id}", notification_uri=uri, notification_mode="ON_COMPLETE")
    assert answer == {"success": True}
    shown = graph.get(f"/{set_id}", fields="notification_uri,notification_mode")
    assert (shown["notification_uri"], shown["notification_mode"]) == (uri, "ON_COMPLETE")


def test_a_create_with_fields_reads_the_new_set(graph: GraphCaller) -> None:
    adbatch = json.dumps(CHAIN)
    answer = graph.post(EDGE, name="batch", adbatch=adbatch, fields="total_count,owner_id")
    assert (answer["total_count"], answer["owner_id"]) == (4, "1")


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (194, {"adbatch": None}),
        (194, {"adbatch": [{"name": "a", "relative_url": "me"}]}),
        (194, {"adbatch": [{"relative_url": "me", "body": "a=1"}]}),
        (194, {"name": ""}),
        (194, {"name": None}),
        (100, {"name": 5}),
        (100, {"adbatch": "[{"}),
        (100, {"adbatch": []}),
        (100, {"adbatch": [5]}),
        (100, {"adbatch": [{"name": 1, "relative_url": "me", "body": "a=1"}]}),
        (100, {"adbatch": [operation("a")] * 1001}),
        (100, {"fields": "nonsense"}),
    ],
)
def test_a_batch_of_the_wrong_shape_makes_nothing(
    sandbox: SandboxControl, graph: GraphCaller, code: int, wrong: dict[str, Any]
) -> None:
    answer = graph.call("POST", EDGE, json={"name": "batch", "adbatch": CHAIN, **wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert sandbox.ledger() == []


def test_a_thousand_operations_are_taken(graph: GraphCaller) -> None:
    set_id = create(graph, [operation(f"op {n}") for n in range(1000)])
    assert graph.get(f"/{set_id}", fields="success_count")["success_count"] == 1000


def test_all_sets_of_an_account_are_listed_whatever_made_them(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    ads = graph.create("1", [{"name": "ad", "adset_id": "5"}])
    done = create(graph, [operation("one")])
    sandbox.configure("1", progress=BY_HAND)
    waiting = create(graph, [operation("one")])

    def listed(**filters: str) -> list[str]:
        return [each["id"] for each in graph.get("/act_1/async_requests", **filters)["data"]]

    assert listed() == [waiting, done, ads]
    assert listed(is_completed="true") == [done, ads]
    assert listed(status="FINISHED") == [done, ads]
    assert listed(status="initialized") == [waiting]
    assert listed(type="BATCH_API") == [waiting, done]
    assert listed(type="ASYNC_ADGROUP_CREATION", status="FINISHED") == [ads]
    assert graph.get("/act_1/asyncadrequestsets")["data"][0]["id"] == ads
    assert "error" in graph.get("/act_1/async_requests", status="NIX")


def test_status_and_type_of_the_list_are_numbers_and_come_on_request(graph: GraphCaller) -> None:
    create(graph, [operation("one")])
    (plain,) = graph.get("/act_1/async_requests")["data"]
    assert list(plain) == ["id", "owner_id", "name", "is_completed"]
    (shown,) = graph.get("/act_1/async_requests", fields="status,type")["data"]
    assert (type(shown["status"]), type(shown["type"])) == (int, int)


def test_a_creative_is_made_by_a_set_of_its_own(graph: GraphCaller) -> None:
    spec = json.dumps({"name": "creative", "object_story_id": "1_2"})
    set_id = graph.post("/act_1/asyncadcreatives", name="set", creative_spec=spec)["id"]
    (request,) = graph.get(f"/{set_id}/requests", fields="status,result")["data"]
    assert request["status"] == "SUCCESS"
    assert graph.get(f"/{request['result']['id']}", fields="name")["name"] == "creative"
    assert [each["id"] for each in graph.get("/act_1/asyncadcreatives")["data"]] == [set_id]
    assert graph.get("/act_1/asyncadrequestsets")["data"] == []


@pytest.mark.parametrize("spec", [None, "", "[", "[]", "5"])
def test_a_creative_needs_a_spec(graph: GraphCaller, spec: str | None) -> None:
    form = {"name": "set"} if spec is None else {"name": "set", "creative_spec": spec}
    assert graph.post("/act_1/asyncadcreatives", **form)["error"]["code"] == 100


def test_a_token_is_not_for_the_accounts_that_operations_name_beside_its_own(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.token("narrow", accounts=["act_1"])
    graph.token = "narrow"
    stranger = {**operation("one"), "relative_url": "v21.0/act_2/ads"}
    answer = graph.call("POST", EDGE, data={"name": "b", "adbatch": json.dumps([stranger])})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 200)
    assert "id" in graph.post(EDGE, name="b", adbatch=json.dumps([operation("one")]))
