from __future__ import annotations

from typing import Any

import pytest

from receiver.sandbox.control import ROUTES
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}


def test_an_account_changes_for_its_next_sets_only(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure("act_1", progress={"kind": "by_hand"}, next_sets=2)
    ids = [graph.create("1", [AD]) for _ in range(3)]
    completed = [graph.get(f"/{set_id}")["is_completed"] for set_id in ids]
    assert completed == [False, False, True]


def test_an_account_goes_before_the_defaults(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress={"kind": "at_once"})
    sandbox.configure_defaults(progress={"kind": "by_hand"})
    ids = [graph.create(account, [AD]) for account in ("1", "2")]
    assert [graph.get(f"/{set_id}")["is_completed"] for set_id in ids] == [True, False]


def test_a_set_advances_by_hand(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    set_id = graph.create("1", [AD] * 4)
    sandbox.advance(set_id, requests=2)
    shown = graph.get(f"/{set_id}", fields="success_count,in_progress_count,initial_count")
    assert shown == {"id": set_id, "success_count": 2, "in_progress_count": 1, "initial_count": 1}
    sandbox.complete(set_id)
    assert graph.get(f"/{set_id}")["is_completed"] is True


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


def test_the_ledger_shows_what_really_exists(sandbox: SandboxControl, graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD, {"name": "homeless"}], name="mine")
    graph.create("2", [AD])
    (entry,) = sandbox.ledger("act_1")
    assert (entry["id"], entry["account"], entry["name"]) == (set_id, "1", "mine")
    assert entry["completed_time"] == entry["created_time"]
    assert [request["status"] for request in entry["requests"]] == ["SUCCESS", "ERROR"]
    assert entry["requests"][1]["result"]["error_code"] == 100
    assert len(sandbox.ledger()) == 2


def test_a_reset_forgets_everything_but_never_gives_an_id_twice(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    old = graph.create("1", [AD])
    sandbox.configure_defaults(progress={"kind": "by_hand"})
    sandbox.latency(50)
    sandbox.reset()
    assert sandbox.ledger() == []
    assert sandbox.calls()["totals"]["calls"] == 0
    new = graph.create("1", [AD])
    assert int(new) > int(old)
    assert graph.get(f"/{new}")["is_completed"] is True
    assert graph.get(f"/{old}")["error"]["code"] == 100


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("accounts/1", {"progress": {"kind": "backwards"}}, 400),
        ("accounts/1", {"colour": "red"}, 400),
        ("accounts/x", {}, 404),
        ("defaults", {"next_sets": 1}, 400),
        ("defaults", [], 400),
        ("sets/404/complete", {}, 404),
        ("sets/404/advance", {"requests": 0}, 400),
        ("latency", {"latency_ms": -1}, 400),
        ("nonsense", {}, 404),
        ("accounts/1", {"edge": {"order": "alphabetical"}}, 400),
        ("accounts/1", {"limits": {"tier": "platinum"}}, 400),
        ("accounts/1", {"limits": {"code": 4}}, 400),
        ("accounts/1/old-sets", {"count": 0}, 400),
        ("defaults", {"limits": {}}, 400),
        ("tokens", {"accounts": None}, 400),
        ("tokens", {"token": "t", "accounts": ["mine"]}, 400),
        ("clock", {"move_seconds": -1}, 400),
        ("batches", {"unfinished": "never"}, 400),
    ],
)
def test_a_wrong_control_call_says_what_is_wrong(
    graph: GraphCaller, path: str, body: Any, status: int
) -> None:
    answer = graph.call("POST", f"/sandbox/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_control_calls_are_not_counted(sandbox: SandboxControl) -> None:
    sandbox.ledger()
    assert sandbox.calls()["totals"]["calls"] == 0


def test_a_control_call_that_is_no_json_is_refused(graph: GraphCaller) -> None:
    for body in (b"\xff{", b"{", b'{"latency_ms": NaN}'):
        answer = graph.call("POST", "/sandbox/latency", data=body)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("it is not JSON")


def test_a_clock_moves_by_no_nonsense(graph: GraphCaller) -> None:
    for body in (
        b'{"move_seconds": NaN}',
        b'{"move_seconds": Infinity}',
        b'{"move_seconds": 1e300}',
    ):
        assert graph.call("POST", "/sandbox/clock", data=body).status_code == 400


def test_a_fault_names_its_key(graph: GraphCaller) -> None:
    answers = [
        graph.call("POST", "/sandbox/accounts/1", json=body).json()["error"]
        for body in ({"colour": "red"}, {"limits": {"max_score": 0}})
    ]
    assert answers[0] == "colour: there is no such key"
    assert answers[1].startswith("limits.max_score: ")


@pytest.mark.parametrize("path", ["/sandbox", "/sandbox/"])
def test_every_control_call_is_listed_with_what_it_does(graph: GraphCaller, path: str) -> None:
    calls = graph.session.get(graph.url + path).json()["calls"]
    assert calls["POST /sandbox/reset"] == "begins again as at the start; ids go on"
    assert list(calls) == [f"{route.method} {route.path}" for route in ROUTES]
