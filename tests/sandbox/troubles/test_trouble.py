from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from receiver.sandbox.troubles.trouble import TroubleRule
from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sandbox_objects import ACCOUNT, create_set

AD = {"name": "ad", "adset_id": "5"}


def test_a_rule_takes_only_the_calls_that_it_means(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble(
        "graph_error", method="post", path="/asyncadrequestsets$", account="act_1", count=2
    )
    assert "error" not in graph.get(f"{ACCOUNT}/asyncadrequestsets")
    assert graph.create("2", [AD])
    assert [create_set(graph).status_code for _ in range(3)] == [400, 400, 200]


def test_a_rule_without_end_lasts_until_the_reset(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble("null", count=None)
    assert [create_set(graph).text for _ in range(3)] == ["null"] * 3
    sandbox.reset()
    assert create_set(graph).json()["id"]


def test_rules_are_taken_in_their_order(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("null")
    sandbox.trouble("no_id")
    assert [create_set(graph).text for _ in range(2)] == ["null", "{}"]


def test_chance_takes_calls_until_the_reset_and_the_same_ones_again(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    def ends(seed: int) -> list[int]:
        sandbox.reset()
        sandbox.trouble("graph_error", probability=0.5, seed=seed)
        return [create_set(graph).status_code for _ in range(30)]

    first = ends(1)
    assert 5 < first.count(400) < 25
    assert ends(1) == first
    assert ends(2) != first


def test_the_count_of_a_chance_counts_its_hits(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("graph_error", probability=0.5, count=3)
    assert [create_set(graph).status_code for _ in range(60)].count(400) == 3
    assert sandbox.troubles() == []


def test_what_one_rule_leaves_by_chance_another_takes(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.trouble("null", probability=0)
    sandbox.trouble("no_id")
    assert create_set(graph).text == "{}"


def test_the_rules_left_are_listed(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("null", count=3, path="/asyncadrequestsets$")
    sandbox.trouble("no_id")
    create_set(graph)
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
        answer = create_set(graph)
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
    assert create_set(graph).status_code == 200


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
