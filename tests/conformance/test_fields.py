"""The page's two tables of fields, printed once for ad request sets and once for async batches.

The second table has two fields more, and both mechanisms share one node (the facts, section 1):
either kind of set shows all fourteen.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.page import AD_SET, ad_spec
from tests.support.processes import eventually
from tests.support.sandbox import GraphCaller, SandboxControl

ACCOUNT = "71597454"
URI = "http://127.0.0.1:9/hook"

SET_FIELDS = {
    "id": (True, str),
    "owner_id": (True, str),
    "name": (True, str),
    "is_completed": (True, bool),
    "total_count": (False, int),
    "initial_count": (False, int),
    "in_progress_count": (False, int),
    "success_count": (False, int),
    "error_count": (False, int),
    "canceled_count": (False, int),
    "notification_uri": (False, str),
    "notification_mode": (False, str),
    "notification_result": (False, dict),
    "notification_status": (False, str),
}
"""Shown by default or not, and the type on the wire (ids are strings: the facts, section 1)."""

REQUEST_FIELDS = {
    "id": (True, str),
    "scope_object_id": (True, str),
    "status": (True, str),
    "result": (False, dict),
    "input": (False, dict),
    "async_request_set": (False, dict),
}


def create_ad_request_set(graph: GraphCaller) -> str:
    return graph.create(ACCOUNT, [ad_spec("one"), ad_spec("will fail")])


def create_async_batch(graph: GraphCaller) -> str:
    creative = "creative=%7B%22creative_id%22%3A%226008248529001%22%7D"
    operations = [
        {
            "name": name.replace(" ", "-"),
            "relative_url": f"act_{ACCOUNT}/ads",
            "body": f"name={name}&adset_id={AD_SET}&status=PAUSED&{creative}",
        }
        for name in ("one", "will fail")
    ]
    set_id: str = graph.post(
        f"/act_{ACCOUNT}/async_batch_requests", name="set", adbatch=json.dumps(operations)
    )["id"]
    return set_id


MAKERS = {"ad request set": create_ad_request_set, "async batch": create_async_batch}


@pytest.fixture(params=MAKERS)
def finished_set(
    request: pytest.FixtureRequest, sandbox: SandboxControl, graph: GraphCaller
) -> str:
    """A set of one ad and one failure, whose notification was attempted."""
    sandbox.configure(ACCOUNT, progress={"kind": "by_hand"}, notification={"kind": "lost"})
    set_id = MAKERS[request.param](graph)
    graph.post(f"/{set_id}", notification_mode="ON_COMPLETE", notification_uri=URI)
    sandbox.complete(set_id)
    return set_id


def with_field(graph: GraphCaller, set_id: str, field: str) -> dict[str, Any] | None:
    shown = graph.get(f"/{set_id}", fields=field)
    return shown if field in shown else None


@pytest.mark.parametrize("field", SET_FIELDS)
def test_a_set_shows_a_field_by_default_or_on_request(
    graph: GraphCaller, finished_set: str, field: str
) -> None:
    is_default, kind = SET_FIELDS[field]
    assert (field in graph.get(f"/{finished_set}")) is is_default
    shown = graph.get(f"/{finished_set}", fields=field)
    if field == "notification_result":
        # Facebook's attempt is over at once; the receiver's own delivery comes a moment later.
        shown = eventually(
            lambda: with_field(graph, finished_set, field), what=f"{field} was shown"
        )
    assert set(shown) == {"id", field}
    assert type(shown[field]) is kind


@pytest.mark.parametrize("field", REQUEST_FIELDS)
def test_a_request_shows_a_field_by_default_or_on_request(
    graph: GraphCaller, finished_set: str, field: str
) -> None:
    is_default, kind = REQUEST_FIELDS[field]
    for path in (f"/{finished_set}/requests", f"/{AD_SET}/asyncadrequests"):
        assert [field in each for each in graph.get(path)["data"]] == [is_default] * 2
        for shown in graph.get(path, fields=field)["data"]:
            assert set(shown) == {"id", field}
            assert type(shown[field]) is kind


@pytest.mark.sandbox_only(
    "notification_status and _result are those of the own delivery, which comes a moment later"
)
def test_the_fields_of_a_set_say_what_became_of_it(graph: GraphCaller, finished_set: str) -> None:
    shown = graph.get(f"/{finished_set}", fields=",".join(SET_FIELDS))
    assert shown == {
        "id": finished_set,
        "owner_id": ACCOUNT,
        "name": "set",
        "is_completed": True,
        "total_count": 2,
        "initial_count": 0,
        "in_progress_count": 0,
        "success_count": 1,
        "error_count": 1,
        "canceled_count": 0,
        "notification_uri": URI,
        "notification_mode": "ON_COMPLETE",
        "notification_result": {"status": "200", "response": "OK"},
        "notification_status": "SENT",
    }


def test_the_fields_of_a_request_say_what_became_of_it(
    graph: GraphCaller, finished_set: str
) -> None:
    page = graph.get(f"/{finished_set}/requests", fields=",".join(REQUEST_FIELDS))
    one, failure = page["data"]
    assert (one["status"], failure["status"]) == ("SUCCESS", "ERROR")
    assert {one["scope_object_id"], failure["scope_object_id"]} == {AD_SET}
    assert graph.get(f"/{one['result']['id']}", fields="name")["name"] == "one"
    assert type(failure["result"]["error_code"]) is int
    assert type(failure["result"]["error_message"]) is str
    assert one["async_request_set"]["id"] == finished_set


def test_the_input_of_an_ad_is_its_spec(graph: GraphCaller) -> None:
    set_id = create_ad_request_set(graph)
    page = graph.get(f"/{set_id}/requests", fields="input")
    specs: list[dict[str, Any]] = [each["input"]["adgroup_spec"] for each in page["data"]]
    assert [spec["name"] for spec in specs] == ["one", "will fail"]
    assert {spec["adset_id"] for spec in specs} == {AD_SET}


def test_the_notification_of_a_set_is_off_and_not_sent_unless_asked_for(graph: GraphCaller) -> None:
    set_id = create_ad_request_set(graph)
    assert graph.get(f"/{set_id}", fields="notification_mode,notification_status") == {
        "id": set_id,
        "notification_mode": "OFF",
        "notification_status": "NOT_SENT",
    }
