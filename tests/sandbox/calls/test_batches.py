from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.support.sandbox import GraphCaller, SandboxControl, running_sandbox

AD = {"name": "ad", "adset_id": "5"}


def batch(graph: GraphCaller, *operations: Any, path: str = "/", **form: Any) -> list[Any]:
    """Send a batch; return its entries, the bodies parsed."""
    answer = graph.call("POST", path, data={"batch": json.dumps(operations), **form})
    assert answer.status_code == 200, answer.text
    entries: list[Any] = answer.json()
    return [entry and {**entry, "body": json.loads(entry["body"] or "null")} for entry in entries]


def get(url: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "relative_url": url, **more}


def create(ad: str, **more: Any) -> dict[str, Any]:
    body = f"name={ad}&adset_id=5"
    return {"method": "POST", "relative_url": "act_1/ads", "body": body, **more}


def test_an_operation_is_answered_like_a_call(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD] * 2)
    alone = graph.call("GET", f"/v22.0/{set_id}", params={"fields": "total_count"})
    (entry,) = batch(graph, get(f"{set_id}?fields=total_count"), path="/v22.0/")
    assert (entry["code"], entry["body"]) == (200, alone.json())
    headers = {header["name"]: header["value"] for header in entry["headers"]}
    assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert headers["ETag"] == alone.headers["ETag"]
    assert headers["facebook-api-version"] == "v22.0"


def test_an_operation_may_have_a_version_of_its_own(graph: GraphCaller) -> None:
    entries = batch(graph, get("v23.0/me/"), get("/v24.0//me"), get("//me"), path="/v22.0/me")
    versions = [
        header["value"]
        for entry in entries
        for header in entry["headers"]
        if header["name"] == "facebook-api-version"
    ]
    assert versions == ["v23.0", "v24.0", "v22.0"]


@pytest.mark.parametrize("flag", ["false", "0"])
def test_headers_are_left_out_on_request(graph: GraphCaller, flag: str) -> None:
    (entry,) = batch(graph, get("act_1"), include_headers=flag)
    assert list(entry) == ["code", "body"]


def test_one_bad_operation_does_not_stop_the_others(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    entries = batch(graph, get("9" * 18), create("will fail"), 5, get(set_id))
    assert [entry["code"] for entry in entries] == [400, 400, 400, 200]
    assert entries[0]["body"]["error"]["error_subcode"] == 33
    assert entries[2]["body"]["error"]["code"] == 100


def test_what_one_operation_makes_another_uses(graph: GraphCaller) -> None:
    entries = batch(
        graph,
        create("first", name="one"),
        create("second", name="two", omit_response_on_success=False),
        get("?ids={result=one:$.id},{result=two:$.id}&fields=name"),
    )
    assert entries[0] is None
    second = entries[1]["body"]["id"]
    assert entries[2]["body"][second] == {"id": second, "name": "second"}
    assert sorted(ad["name"] for ad in entries[2]["body"].values()) == ["first", "second"]


@pytest.mark.parametrize(("unfinished", "code"), [("null", None), ("error_960", 960)])
def test_what_needs_a_failed_operation_is_not_done(
    sandbox: SandboxControl, graph: GraphCaller, unfinished: str, code: int | None
) -> None:
    sandbox.batches(unfinished=unfinished)
    entries = batch(graph, create("will fail", name="one"), create("x", depends_on="one"))
    assert entries[0]["code"] == 400
    assert (entries[1] and entries[1]["body"]["error"]["code"]) == code
    assert [call["path"] for call in sandbox.calls()["calls"]] == ["/", "/act_1/ads"]


@pytest.mark.parametrize("kind", ["null", "reset", "commit_then_drop", "cut"])
def test_an_operation_in_trouble_is_answered_by_null(
    sandbox: SandboxControl, graph: GraphCaller, kind: str
) -> None:
    sandbox.trouble(kind, path="/act_1/ads")
    assert batch(graph, create("a"), get("act_1"))[0] is None


def test_a_batch_whose_time_is_up_answers_the_rest_by_null(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.batches(timeout_seconds=1)
    sandbox.trouble("slow", path="/act_2$", seconds=1.1)
    entries = batch(graph, get("act_1"), get("act_2"), create("never made"))
    assert [entry and entry["code"] for entry in entries] == [200, None, None]
    assert [call["path"] for call in sandbox.calls()["calls"]] == ["/", "/act_1", "/act_2"]


def test_a_batch_itself_may_be_in_trouble(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("graph_error", path="^/$", code=2)
    answer = graph.call("POST", "/", data={"batch": json.dumps([create("never made")])})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2)
    assert [call["path"] for call in sandbox.calls()["calls"]] == ["/"]


def test_operations_cost_points_and_their_batch_none(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    batch(graph, get("act_1"), create("a"))
    assert [(call["path"], call["points"]) for call in sandbox.calls()["calls"]] == [
        ("/", 0),
        ("/act_1", 1),
        ("/act_1/ads", 3),
    ]


@pytest.mark.parametrize("batch", ["", "[", "{}", "[]", "5"])
def test_a_batch_of_the_wrong_shape_is_refused(graph: GraphCaller, batch: str) -> None:
    answer = graph.call("POST", "/", data={"batch": batch})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "GraphBatchException"


def test_more_than_fifty_operations_are_refused_as_a_whole(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    answer = graph.call("POST", "/", data={"batch": json.dumps([create("a")] * 51)})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "GraphBatchException")
    assert "50" in error["message"]
    assert len(sandbox.calls()["calls"]) == 1


def test_a_reference_to_a_later_operation_refuses_the_whole_batch(graph: GraphCaller) -> None:
    operations = [get("{result=one:$.id}"), create("a", name="one")]
    answer = graph.call("POST", "/", data={"batch": json.dumps(operations)})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "GraphBatchException")


def test_a_batch_needs_a_token_of_its_own(graph: GraphCaller) -> None:
    graph.token = ""
    operations = [get("me", access_token="token")]
    answer = graph.call("POST", "/", data={"batch": json.dumps(operations)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)


def test_an_operation_may_have_a_token_of_its_own(graph: GraphCaller) -> None:
    invalid = {"method": "POST", "relative_url": "act_1/ads", "body": "access_token=invalid"}
    entries = batch(
        graph, get("me?access_token=expired"), get("me", access_token="invalid"), invalid, get("me")
    )
    assert [entry["code"] for entry in entries] == [400, 400, 400, 200]
    assert entries[0]["body"]["error"]["error_subcode"] == 463
    challenged = {header["name"] for header in entries[1]["headers"]}
    assert "WWW-Authenticate" in challenged


def test_a_proof_holds_for_the_token_that_it_was_made_for() -> None:
    def proof(token: str) -> str:
        return hmac.new(b"secret", token.encode(), hashlib.sha256).hexdigest()

    with running_sandbox(app_secret="secret") as control:
        graph = GraphCaller(control.url)
        with graph.session:
            entries = batch(
                graph,
                get("me"),
                get("me?access_token=other"),
                get(f"me?access_token=other&appsecret_proof={proof('other')}"),
                appsecret_proof=proof("token"),
            )
    assert [entry["code"] for entry in entries] == [200, 400, 200]


@pytest.mark.parametrize("form", ["text", "object", "map"])
def test_a_read_that_changed_nothing_is_not_repeated(graph: GraphCaller, form: str) -> None:
    set_id = graph.create("1", [AD])
    (first,) = batch(graph, get(set_id))
    tag = next(header["value"] for header in first["headers"] if header["name"] == "ETag")
    headers: dict[str, Any] = {
        "text": [f"If-None-Match: {tag}"],
        "object": [{"name": "If-None-Match", "value": tag}],
        "map": {"If-None-Match": tag},
    }
    (again,) = batch(graph, get(set_id, headers=headers[form]))
    assert (again["code"], again["body"]) == (304, None)
    assert "ETag" not in {header["name"] for header in again["headers"]}
    graph.post(f"/{set_id}", name="renamed")
    (changed,) = batch(graph, get(set_id, headers=headers[form]))
    assert (changed["code"], changed["body"]["name"]) == (200, "renamed")


def test_deletes_may_bring_their_parameters_in_the_body(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    entries = batch(
        graph, {"method": "DELETE", "relative_url": set_id, "body": "access_token=expired"}
    )
    assert entries[0]["body"]["error"]["error_subcode"] == 463


def test_an_attached_file_that_did_not_come_fails_its_operation(graph: GraphCaller) -> None:
    entries = batch(
        graph,
        {"method": "POST", "relative_url": "act_1/adimages", "attached_files": "test1"},
        get("act_1"),
    )
    assert [entry["code"] for entry in entries] == [400, 200]
    assert "test1" in entries[0]["body"]["error"]["message"]
