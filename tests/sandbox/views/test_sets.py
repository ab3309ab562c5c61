from __future__ import annotations

import json
import re
from typing import Any

import pytest

from receiver.graph.vocabulary import COUNT_FIELDS, REQUEST_SET
from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}
FAILING = {"name": "fail", "adset_id": "6"}
EDGE = "/v21.0/act_1/asyncadrequestsets"
URI = "http://127.0.0.1:1/hook"
BY_HAND = {"kind": "by_hand"}


def specs(*parts: dict[str, Any]) -> str:
    return json.dumps(parts)


def test_a_create_answers_a_numeric_string(graph: GraphCaller) -> None:
    answer = graph.post(EDGE, name="set", ad_specs=specs(AD))
    assert list(answer) == ["id"]
    assert answer["id"].isdigit()
    assert int(answer["id"]) < 2**63


@pytest.mark.parametrize("encoding", ["form", "multipart", "json", "json with json in a string"])
def test_a_create_may_come_in_any_encoding(graph: GraphCaller, encoding: str) -> None:
    form = {"name": "sét", "ad_specs": specs(AD), "notification_mode": "0"}
    arguments: dict[str, dict[str, Any]] = {
        "form": {"data": form},
        "multipart": {"files": {name: (None, value) for name, value in form.items()}},
        "json": {"json": {"name": "sét", "ad_specs": [AD], "notification_mode": 0}},
        "json with json in a string": {"json": form},
    }
    answer = graph.call("POST", EDGE, **arguments[encoding])
    assert answer.status_code == 200
    shown = graph.get(f"/{answer.json()['id']}", fields="name,total_count")
    assert (shown["name"], shown["total_count"]) == ("sét", 1)


def test_a_create_with_fields_reads_the_new_set(graph: GraphCaller) -> None:
    answer = graph.post(EDGE, name="set", ad_specs=specs(AD), fields="total_count,owner_id")
    assert answer == {"id": answer["id"], "total_count": 1, "owner_id": "1"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": ""}),
        ("name", {"name": None}),
        ("name", {"name": {"a": 1}}),
        ("ad_specs", {"ad_specs": None}),
        ("ad_specs", {"ad_specs": "[{"}),
        ("ad_specs", {"ad_specs": {"a": 1}}),
        ("ad_specs", {"ad_specs": []}),
        ("ad_specs", {"ad_specs": [AD] * 1001}),
        ("ad_specs", {"ad_specs": [AD, "x"]}),
        ("notification_mode", {"notification_mode": "SOMETIMES"}),
        ("notification_uri", {"notification_mode": "ON_COMPLETE"}),
        ("notification_uri", {"notification_mode": 1}),
        ("notification_uri", {"notification_uri": "ftp://host/"}),
        ("notification_uri", {"notification_uri": "http://[::1"}),
        ("fields", {"fields": "nonsense"}),
    ],
)
def test_a_wrong_outer_shape_is_refused_by_name(
    sandbox: SandboxControl, graph: GraphCaller, field: str, wrong: dict[str, Any]
) -> None:
    answer = graph.call("POST", EDGE, json={"name": "set", "ad_specs": [AD], **wrong})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (400, 100, "OAuthException")
    assert error["error_data"] == {"blame_field_specs": [[field]]}
    assert error["fbtrace_id"]
    assert sandbox.ledger() == []


def test_a_set_of_a_thousand_ads_is_taken(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD] * 1000)
    assert graph.get(f"/{set_id}", fields="success_count")["success_count"] == 1000


def test_a_set_shows_its_default_fields_unasked(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    expected = {"id": set_id, "owner_id": "1", "name": "set", "is_completed": True}
    for path in (f"/{set_id}", f"/v21.0/{set_id}/", f"/?id={set_id}", f"/v19.0//?id={set_id}"):
        assert graph.get(path) == expected


def test_a_set_shows_every_field(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", notification={"kind": "lost"})
    set_id = graph.create("1", [AD, FAILING], notification_mode="1", notification_uri=URI)
    answer = graph.get(f"/{set_id}", fields=",".join(REQUEST_SET.fields))
    assert set(answer) == set(REQUEST_SET.fields)
    assert [answer[field] for field in COUNT_FIELDS] == [0, 0, 1, 1, 0]
    assert answer["notification_mode"] == "ON_COMPLETE"
    assert answer["notification_status"] == "SENT"
    assert answer["notification_result"] == {"status": "200", "response": "OK"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", answer["created_time"])


def test_the_notification_result_is_absent_until_attempted(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    answer = graph.get(f"/{set_id}", fields="notification_result,notification_status")
    assert answer == {"id": set_id, "notification_status": "NOT_SENT"}


def test_an_accounts_sets_come_newest_first(graph: GraphCaller) -> None:
    ids = [graph.create("1", [AD]) for _ in range(3)]
    graph.create("2", [AD])
    assert [each["id"] for each in graph.get(EDGE)["data"]] == ids[::-1]
    assert graph.get("/act_3/asyncadrequestsets") == {"data": []}


@pytest.mark.parametrize(
    ("value", "names"),
    [("1", ["done"]), ("true", ["done"]), ("0", ["open"]), ("false", ["open"])],
)
def test_sets_are_filtered_by_their_completion(
    sandbox: SandboxControl, graph: GraphCaller, value: str, names: list[str]
) -> None:
    graph.create("1", [AD], name="done")
    sandbox.configure("1", progress=BY_HAND)
    graph.create("1", [AD], name="open")
    page = graph.get(EDGE, is_completed=value)
    assert [each["name"] for each in page["data"]] == names


def test_a_set_can_be_changed_until_its_notification_was_sent(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure("1", progress=BY_HAND, notification={"kind": "lost"})
    set_id = graph.create("1", [AD])
    changes = {"name": "new", "notification_mode": "ON_COMPLETE", "notification_uri": URI}
    assert graph.post(f"/{set_id}", **changes) == {"success": True}
    assert graph.get(f"/{set_id}", fields=",".join(changes)) == {"id": set_id, **changes}
    sandbox.complete(set_id)
    assert graph.post(f"/{set_id}", name="newer") == {"success": True}
    for change in ({"notification_mode": "OFF"}, {"notification_uri": URI + "2"}):
        assert graph.post(f"/{set_id}", name="newest", **change)["error"]["code"] == 100
    assert graph.get(f"/{set_id}")["name"] == "newer"


def test_a_set_cannot_be_changed_into_nonsense(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    for change in ({"name": ""}, {"notification_mode": "2"}, {"notification_mode": "ON_COMPLETE"}):
        assert graph.post(f"/{set_id}", **change)["error"]["code"] == 100


def test_a_set_progresses_by_reads(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.configure("1", progress={"kind": "after_reads", "reads": 3})
    set_id = graph.create("1", [AD])
    assert [graph.get(f"/{set_id}")["is_completed"] for _ in range(2)] == [False, False]
    assert graph.get(EDGE)["data"][0]["is_completed"] is True


@pytest.mark.parametrize("is_read", [True, False])
def test_a_set_is_where_its_time_has_brought_it_whether_it_is_read_or_not(
    sandbox: SandboxControl, graph: GraphCaller, *, is_read: bool
) -> None:
    sandbox.freeze_clock()
    sandbox.configure("1", progress={"kind": "after_seconds", "seconds": 10})
    set_id = graph.create("1", [AD] * 10)
    sandbox.move_clock(5)
    if is_read:
        graph.get(f"/{set_id}/requests")
    assert len(graph.get("/act_1/ads")["data"]) == 5
    graph.delete(f"/{set_id}")
    shown = graph.get(f"/{set_id}", fields="success_count,in_progress_count,canceled_count")
    counts = (shown["success_count"], shown["in_progress_count"], shown["canceled_count"])
    assert counts == (5, 1, 4)
