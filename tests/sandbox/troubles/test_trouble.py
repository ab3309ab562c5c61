from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from receiver.sandbox.troubles.trouble import TroubleRule
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}
EDGE = "/v21.0/act_1/asyncadrequestsets"
CREATE = {"name": "set", "ad_specs": '[{"name": "ad", "adset_id": "5"}]'}


def create(graph: GraphCaller) -> requests.Response:
    return graph.call("POST", EDGE, data=CREATE)


@pytest.mark.parametrize(
    ("kind", "effect", "status", "body", "exists"),
    [
        ("not_json", None, 200, "for (;;);", True),
        ("not_json", "none", 200, "for (;;);", False),
        ("no_id", None, 200, "{}", True),
        ("null", None, 200, "null", True),
        ("null", "none", 200, "null", False),
    ],
)
def test_an_answer_without_an_id_says_nothing_of_the_effect(
    sandbox: SandboxControl,
    graph: GraphCaller,
    *,
    kind: str,
    effect: str | None,
    status: int,
    body: str,
    exists: bool,
) -> None:
    sandbox.trouble(kind, **({} if effect is None else {"effect": effect}))
    answer = create(graph)
    assert (answer.status_code, answer.text) == (status, body)
    assert len(sandbox.ledger()) == int(exists)


@pytest.mark.parametrize("effect", ["none", "before"])
def test_a_graph_error_may_be_any(sandbox: SandboxControl, graph: GraphCaller, effect: str) -> None:
    sandbox.trouble(
        "graph_error",
        code=80004,
        subcode=2446079,
        http_status=403,
        is_transient=True,
        effect=effect,
    )
    answer = create(graph)
    error = answer.json()["error"]
    assert answer.status_code == 403
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (80004, 2446079, True)
    assert len(sandbox.ledger()) == int(effect == "before")
    assert "X-Business-Use-Case-Usage" in answer.headers


def test_an_error_may_come_with_200(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("error_in_200", code=190, message="Gone\r\nSet-Cookie: x")
    answer = create(graph)
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, 190)


def test_a_message_never_breaks_a_header(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("graph_error", code=190, message="Gone\r\nSet-Cookie: ü")
    answer = create(graph)
    assert answer.json()["error"]["code"] == 190
    assert "Set-Cookie" not in answer.headers


def test_an_http_error_is_a_page(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("http_error", status=503)
    answer = create(graph)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "exists"), [("reset", False), ("commit_then_drop", True), ("cut", True)]
)
def test_a_connection_breaks_before_or_after_the_effect(
    sandbox: SandboxControl, graph: GraphCaller, *, kind: str, exists: bool
) -> None:
    sandbox.trouble(kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        create(graph)
    assert len(sandbox.ledger()) == int(exists)
    assert create(graph).status_code == 200


@pytest.mark.parametrize("effect", ["before", "after"])
def test_a_held_call_waits_for_its_release(
    sandbox: SandboxControl, graph: GraphCaller, effect: str
) -> None:
    sandbox.trouble("hold", effect=effect)
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(create(graph)))
    thread.start()
    wait_for(lambda: sandbox.calls()["totals"]["calls"] == 1)
    if effect == "before":
        wait_for(lambda: len(sandbox.ledger()) == 1)
    assert len(sandbox.ledger()) == int(effect == "before")
    wait_for(lambda: sandbox.release() == 1)
    thread.join(10)
    assert answers[0].json()["id"] == sandbox.ledger()[0]["id"]


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_slow_answer_comes_in_the_end(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("slow", seconds=0.1)
    began = time.monotonic()
    assert create(graph).status_code == 200
    assert time.monotonic() - began >= 0.1


def test_latency_is_added_to_every_call(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.latency(60)
    began = time.monotonic()
    create(graph)
    create(graph)
    assert time.monotonic() - began >= 0.12


def test_a_rule_takes_only_the_calls_that_it_means(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble(
        "graph_error", method="post", path="/asyncadrequestsets$", account="act_1", count=2
    )
    assert "error" not in graph.get(EDGE)
    assert graph.create("2", [AD])
    assert [create(graph).status_code for _ in range(3)] == [400, 400, 200]


def test_a_rule_without_end_lasts_until_the_reset(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble("null", count=None)
    assert [create(graph).text for _ in range(3)] == ["null"] * 3
    sandbox.reset()
    assert create(graph).json()["id"]


def test_rules_are_taken_in_their_order(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("null")
    sandbox.trouble("no_id")
    assert [create(graph).text for _ in range(2)] == ["null", "{}"]


def test_chance_takes_calls_until_the_reset_and_the_same_ones_again(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    def ends(seed: int) -> list[int]:
        sandbox.reset()
        sandbox.trouble("graph_error", probability=0.5, seed=seed)
        return [create(graph).status_code for _ in range(30)]

    first = ends(1)
    assert 5 < first.count(400) < 25
    assert ends(1) == first
    assert ends(2) != first


def test_the_count_of_a_chance_counts_its_hits(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("graph_error", probability=0.5, count=3)
    assert [create(graph).status_code for _ in range(60)].count(400) == 3
    assert sandbox.troubles() == []


def test_what_one_rule_leaves_by_chance_another_takes(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble("null", probability=0)
    sandbox.trouble("no_id")
    assert create(graph).text == "{}"


def test_the_rules_left_are_listed(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("null", count=3, path="/asyncadrequestsets$")
    sandbox.trouble("no_id")
    create(graph)
    assert [(rule["kind"], rule["count"]) for rule in sandbox.troubles()] == [
        ("null", 2),
        ("no_id", 1),
    ]


@pytest.mark.parametrize(
    ("rule", "code", "subcode"),
    [({}, 80004, 2446079), ({"code": 17}, 17, 2446079), ({"code": 613}, 613, 1487742)],
)
def test_a_throttle_blocks_the_account_for_its_seconds(
    sandbox: SandboxControl,
    graph: GraphCaller,
    *,
    rule: dict[str, int],
    code: int,
    subcode: int,
) -> None:
    sandbox.freeze_clock()
    sandbox.configure("1", limits={"code": 80004})
    sandbox.trouble("throttle", account="act_1", seconds=90, **rule)
    for _ in range(2):
        answer = create(graph)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["error_subcode"]) == (400, code, subcode)
        (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])["1"]
        assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 2)
        account = json.loads(answer.headers["X-Ad-Account-Usage"])
        assert (account["acc_id_util_pct"], account["reset_time_duration"]) == (100.0, 90)
    assert sandbox.ledger() == []
    assert [call["trouble"] for call in sandbox.calls()["calls"]] == ["throttle"] * 2
    assert graph.create("2", [AD])
    sandbox.move_clock(90)
    assert create(graph).status_code == 200


@pytest.mark.parametrize(("rule", "code"), [({"code": 613}, 613), ({}, 17)])
def test_a_throttle_of_no_known_account_is_an_error_only(
    sandbox: SandboxControl, graph: GraphCaller, rule: dict[str, int], code: int
) -> None:
    sandbox.trouble("throttle", path="^/404$", **rule)
    assert graph.get("/404")["error"]["code"] == code
    assert "X-Ad-Account-Usage" not in graph.call("GET", "/404").headers


def test_a_set_may_be_complete_but_its_requests_not_readable_yet(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    set_id = graph.create("1", [AD])
    sandbox.trouble(
        "graph_error",
        path=f"^/{set_id}/requests$",
        type="GraphMethodException",
        code=100,
        subcode=33,
        count=2,
    )
    assert graph.get(f"/{set_id}")["is_completed"] is True
    answers = [graph.get(f"/{set_id}/requests") for _ in range(3)]
    assert [answer.get("error", {}).get("error_subcode") for answer in answers] == [33, 33, None]


def test_a_status_may_be_new_and_counts_wrong(sandbox: SandboxControl, graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    request_id = graph.get(f"/{set_id}/requests")["data"][0]["id"]
    sandbox.override(request_id, status="PROCESS_BY_NOBODY_YET")
    sandbox.override(set_id, success_count=7, total_count=3)
    assert graph.get(f"/{request_id}")["status"] == "PROCESS_BY_NOBODY_YET"
    assert graph.get(f"/{set_id}/requests")["data"][0]["status"] == "PROCESS_BY_NOBODY_YET"
    shown = graph.get(f"/{set_id}", fields="success_count,total_count,error_count")
    assert shown == {"id": set_id, "success_count": 7, "total_count": 3, "error_count": 0}
    assert sandbox.ledger()[0]["requests"][0]["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "earthquake"},
        {"kind": "null", "probability": 1.5},
        {"kind": "throttle", "code": 2},
        {"kind": "throttle", "effect": "before"},
        {"kind": "reset", "effect": "before"},
        {"kind": "slow", "effect": "none"},
        {"kind": "null", "path": "("},
        {"kind": "null", "count": 0},
        {"kind": "null", "colour": "red"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TroubleRule.model_validate(rule)
