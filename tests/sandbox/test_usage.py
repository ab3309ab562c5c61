from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from receiver.sandbox.usage import CallLog, LoggedCall
from tests.support.sandbox import GraphCaller, SandboxControl

START = datetime(2026, 1, 2, tzinfo=UTC)
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
        "points": 7,
        "points_by_account": {"1": 6, "2": 1},
    }
    assert [(call["method"], call["path"], call["points"]) for call in report["calls"][:3]] == [
        ("POST", "/act_1/asyncadrequestsets", 3),
        ("GET", f"/{set_id}", 1),
        ("GET", f"/{set_id}/requests", 1),
    ]
    assert report["calls"][5]["account"] is None
    assert "token" not in json.dumps(report)


def test_every_answer_carries_the_usage_of_its_account(graph: GraphCaller) -> None:
    answer = graph.call("GET", "/act_1/asyncadrequestsets", params={"limit": "0"})
    assert answer.status_code == 400
    business = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert business["1"][0]["type"] == "ads_management"
    assert business["1"][0]["estimated_time_to_regain_access"] == 0
    account = json.loads(answer.headers["X-Ad-Account-Usage"])
    assert account == {
        "acc_id_util_pct": 0.01,
        "reset_time_duration": 300,
        "ads_api_access_tier": "standard_access",
    }


def test_a_score_decays_after_five_minutes() -> None:
    log = CallLog()
    log.add(LoggedCall("POST", "/1", "1", 900, START, None))
    log.add(LoggedCall("POST", "/1", "1", 450, START + timedelta(seconds=200), None))

    def percent(seconds: int) -> float:
        headers = dict(log.usage_headers("1", now=START + timedelta(seconds=seconds)))
        return float(json.loads(headers["X-Ad-Account-Usage"])["acc_id_util_pct"])

    assert [percent(200), percent(300), percent(500)] == [15.0, 5.0, 0.0]
