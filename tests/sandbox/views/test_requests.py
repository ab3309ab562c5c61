from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.graph.vocabulary import COUNT_FIELDS, REQUEST
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}
FAILING = {"name": "fail", "adset_id": "6"}
BY_HAND = {"kind": "by_hand"}


def specs(*parts: dict[str, Any]) -> str:
    return json.dumps(parts)


def test_ids_of_requests_follow_the_order_of_the_specs(graph: GraphCaller) -> None:
    set_id = graph.create("1", [{"name": f"ad {n}", "adset_id": "5"} for n in range(30)])
    page = graph.get(f"/{set_id}/requests", fields="input", limit="100")
    ids = [int(request["id"]) for request in page["data"]]
    assert ids == sorted(ids)
    names = [request["input"]["adgroup_spec"]["name"] for request in page["data"]]
    assert names == [f"ad {n}" for n in range(30)]


def test_a_request_shows_every_field(graph: GraphCaller) -> None:
    set_id = graph.create("1", [{"name": "ad", "adset_id": 5}])
    page = graph.get(f"/v20.0/{set_id}/requests", fields=",".join(REQUEST.fields))
    (request,) = page["data"]
    assert set(request) == set(REQUEST.fields)
    assert request["scope_object_id"] == "5"
    assert request["result"]["id"].isdigit()
    assert request["input"] == {
        "account_id": 1,
        "adgroup_spec": {"name": "ad", "adset_id": "5"},
        "platform_version": "v21.0",
    }
    assert request["async_request_set"]["id"] == set_id
    assert graph.get(f"/{request['id']}", fields=",".join(REQUEST.fields)) == request
    assert graph.get(f"/{request['id']}") == {
        "id": request["id"],
        "scope_object_id": "5",
        "status": "SUCCESS",
    }


@pytest.mark.parametrize(
    "statuses",
    [
        {"status": "SUCCESS,ERROR"},
        {"status": "success, Error"},
        {"statuses": '["SUCCESS","ERROR"]'},
        {"statuses": '["success","error"]', "summary": "true"},
    ],
)
def test_requests_are_filtered_by_status(graph: GraphCaller, statuses: dict[str, str]) -> None:
    set_id = graph.create("1", [AD, FAILING])
    assert len(graph.get(f"/{set_id}/requests", **statuses)["data"]) == 2
    assert graph.get(f"/requests?id={set_id}", status="initial") == {"data": []}


def test_requests_are_found_by_their_ad_set(graph: GraphCaller) -> None:
    graph.create("1", [AD, FAILING])
    graph.create("1", [AD])
    page = graph.get("/5/asyncadrequests", status="SUCCESS,ERROR", fields="scope_object_id")
    assert [request["scope_object_id"] for request in page["data"]] == ["5", "5"]


def test_unprocessed_requests_can_be_canceled(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress=BY_HAND)
    set_id = graph.create("1", [AD] * 5)
    ids = [request["id"] for request in graph.get(f"/{set_id}/requests")["data"]]
    sandbox.advance(set_id, requests=1)
    assert graph.delete(f"/{ids[4]}") == {"success": True}
    for processed in (ids[0], ids[1], ids[4]):
        assert graph.delete(f"/{processed}")["error"]["code"] == 100
    assert graph.call("POST", f"/{set_id}", data={"method": "delete"}).json() == {"success": True}
    shown = graph.get(f"/{set_id}", fields=",".join(("is_completed", *COUNT_FIELDS)))
    assert [shown[field] for field in COUNT_FIELDS] == [0, 1, 1, 0, 3]
    assert shown["is_completed"] is False
    sandbox.complete(set_id)
    assert graph.delete(f"/{set_id}")["error"]["code"] == 100
    statuses = [request["status"] for request in graph.get(f"/{set_id}/requests")["data"]]
    assert statuses == ["SUCCESS", "SUCCESS", "CANCELED", "CANCELED", "CANCELED"]
