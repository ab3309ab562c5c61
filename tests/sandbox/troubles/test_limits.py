from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from receiver.sandbox.troubles.limits import Limits, Quota, SlidingSum
from tests.support.sandbox import GraphCaller, SandboxControl

START = datetime(2026, 1, 2, tzinfo=UTC)
AD = {"name": "ad", "adset_id": "5"}
EDGE = "/act_1/asyncadrequestsets"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_sum_forgets_what_is_older_than_its_seconds() -> None:
    total = SlidingSum(300)
    total.add(900, now=START)
    total.add(400, now=after(200))
    total.add(50, now=after(200.9))
    assert [total.at(after(seconds)) for seconds in (201, 299.9, 300, 499, 500)] == [
        1350,
        1350,
        450,
        450,
        0,
    ]


@pytest.mark.parametrize(
    ("limits", "highest", "block_seconds"),
    [
        ({}, 9000, 60),
        ({"tier": "development_access"}, 60, 300),
        ({"tier": "development_access", "max_score": 7, "block_seconds": 1.5}, 7, 1.5),
    ],
)
def test_a_tier_has_its_numbers(limits: dict[str, Any], highest: int, block_seconds: float) -> None:
    given = Limits.model_validate(limits)
    assert given.highest_score == highest
    assert given.block_length == timedelta(seconds=block_seconds)


def development(**limits: Any) -> Quota:
    return Quota(Limits(tier="development_access", enforced=True, **limits))


def test_the_call_that_would_pass_the_maximum_is_refused() -> None:
    quota = development()
    assert [quota.spend(3, now=START) for _ in range(20)] == [None] * 20
    assert quota.spend(1, now=after(1)) == 17
    assert quota.blocked_seconds(after(1)) == 300


def test_points_that_decayed_leave_room() -> None:
    quota = development()
    quota.spend(60, now=START)
    assert quota.spend(60, now=after(300)) is None


def test_a_call_while_blocked_lengthens_the_block() -> None:
    quota = development(max_score=3)
    quota.spend(3, now=START)
    assert [quota.spend(1, now=after(seconds)) for seconds in (0, 200, 499.9)] == [17] * 3
    assert quota.blocked_seconds(after(499.9)) == 300
    assert quota.spend(3, now=after(799.9)) is None


def test_a_score_that_is_not_enforced_may_be_any() -> None:
    quota = Quota(Limits(tier="development_access"))
    assert [quota.spend(60, now=START) for _ in range(3)] == [None] * 3
    assert quota.percent(START) == 300.0


@pytest.mark.parametrize(
    ("code", "subcode", "is_transient", "words"),
    [
        (17, 2446079, True, "(#17) User request limit reached"),
        (613, 1487742, None, "(#613) Calls to this api have exceeded the rate limit."),
        (80004, 2446079, None, "(#80004) There have been too many calls to this ad-account."),
    ],
)
def test_an_account_over_its_limit_is_blocked_and_told_for_how_long(
    sandbox: SandboxControl,
    graph: GraphCaller,
    *,
    code: int,
    subcode: int,
    is_transient: bool | None,
    words: str,
) -> None:
    sandbox.freeze_clock()
    sandbox.configure(
        "act_1", limits={"tier": "development_access", "enforced": True, "code": code}
    )
    for _ in range(20):
        graph.create("1", [AD])
    answer = graph.call("POST", EDGE, data={"name": "set", "ad_specs": json.dumps([AD])})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, code, subcode)
    assert error.get("is_transient") is is_transient
    assert error["message"].startswith(words)
    assert json.loads(answer.headers["X-Business-Use-Case-Usage"]) == {
        "1": [
            {
                "type": "ads_management",
                "call_count": 100,
                "total_cputime": 50,
                "total_time": 50,
                "estimated_time_to_regain_access": 5,
                "ads_api_access_tier": "development_access",
            }
        ]
    }
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["reset_time_duration"] == 300
    assert len(sandbox.ledger()) == 20
    sandbox.move_clock(299)
    assert graph.get(EDGE)["error"]["code"] == code
    sandbox.move_clock(299)
    assert graph.get(EDGE)["error"]["code"] == code
    sandbox.move_clock(300)
    assert "data" in graph.get(EDGE)


def test_a_blocked_account_fails_its_operations_and_no_others(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure("1", limits={"enforced": True, "max_score": 1})
    batch = [{"method": "GET", "relative_url": f"act_{n}/asyncadrequestsets"} for n in (1, 1, 2)]
    entries = graph.post("/", batch=json.dumps(batch))
    assert [entry["code"] for entry in entries] == [200, 400, 200]


def test_other_limits_lift_a_block(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", limits={"enforced": True, "max_score": 1})
    assert [graph.call("GET", EDGE).status_code for _ in range(2)] == [200, 400]
    sandbox.configure("1", limits={"tier": "development_access"})
    assert graph.call("GET", EDGE).status_code == 200
