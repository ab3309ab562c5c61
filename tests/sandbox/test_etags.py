from __future__ import annotations

from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}


def test_every_read_carries_an_etag_and_no_write_does(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    for path in (f"/{set_id}", f"/{set_id}/requests", "/act_1/asyncadrequestsets"):
        assert graph.call("GET", path).headers["ETag"].startswith('"')
    assert "ETag" not in graph.call("POST", f"/{set_id}", data={"name": "new"}).headers
    assert "ETag" not in graph.call("GET", "/" + "9" * 18).headers


def test_an_unchanged_read_has_neither_body_nor_etag_and_counts(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    set_id = graph.create("1", [AD])
    tag = graph.call("GET", f"/{set_id}").headers["ETag"]
    again = graph.call("GET", f"/{set_id}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Content-Length"] == "0"
    assert "ETag" not in again.headers
    assert sandbox.calls()["totals"]["points"] == 3 + 1 + 1


def test_formatting_and_fields_are_part_of_what_is_tagged(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    tags = {
        graph.call("GET", f"/{set_id}", params=params).headers["ETag"]
        for params in ({}, {"pretty": "1"}, {"fields": "name"})
    }
    assert len(tags) == 3


def test_a_change_changes_the_etag(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    tag = graph.call("GET", f"/{set_id}").headers["ETag"]
    graph.post(f"/{set_id}", name="renamed")
    again = graph.call("GET", f"/{set_id}", headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["name"]) == (200, "renamed")
