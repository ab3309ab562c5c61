from __future__ import annotations

import json

from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}


def test_a_read_costs_one_point_and_a_write_three(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    set_id = graph.create("1", [AD])
    graph.get(f"/{set_id}")
    graph.get(f"/v21.0//requests?id={set_id}")
    graph.get("/5/asyncadrequests")
    graph.get("/act_2/asyncadrequestsets")
    graph.get("/404")
    report = sandbox.calls()
    assert report["totals"] == {
        "calls": 6,
        "points": 8,
        "points_by_account": {"1": 6, "2": 1},
    }
    assert [(call["method"], call["path"], call["points"]) for call in report["calls"][:3]] == [
        ("POST", "/act_1/asyncadrequestsets", 3),
        ("GET", f"/{set_id}", 1),
        ("GET", f"/{set_id}/requests", 1),
    ]
    assert report["calls"][5]["account"] is None
    assert "token" not in json.dumps(report)


def test_each_id_counts_as_a_call(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sets = [graph.create(account, [AD]) for account in ("1", "2", "2")]
    graph.call("GET", "/", params={"ids": ",".join(sets)})
    report = sandbox.calls()
    assert report["totals"]["points_by_account"] == {"1": 3 + 1, "2": 6 + 2}
    assert (report["calls"][-1]["account"], report["calls"][-1]["points"]) == ("1", 3)


def test_a_batch_costs_what_its_operations_cost(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    set_id = graph.create("1", [AD])
    read = {"method": "GET", "relative_url": set_id}
    change = {"method": "POST", "relative_url": set_id, "body": "name=new"}
    graph.post("/", batch=json.dumps([read, change]))
    calls = sandbox.calls()["calls"][1:]
    assert [(call["path"], call["points"], call["is_operation"]) for call in calls] == [
        ("/", 0, False),
        (f"/{set_id}", 1, True),
        (f"/{set_id}", 3, True),
    ]
