from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.sandbox import views
from receiver.sandbox.calls.errors import GraphFault
from receiver.sandbox.calls.graph_call import GraphCall
from receiver.sandbox.world.world import World
from tests.support.sandbox import GraphCaller

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AD = {"name": "an ad", "adset_id": "5"}
NEVER_GIVEN = "9" * 18


def test_ids_are_named_where_a_read_names_nothing_else() -> None:
    for path in ("/", "/insights"):
        assert GraphCall("GET", "v21.0", path, {"ids": "1,2"}).named_ids == ("1", "2")


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/5"), ("GET", "/act_1/ads")])
def test_ids_are_nothing_to_a_write_and_to_a_thing(method: str, path: str) -> None:
    assert GraphCall(method, "v21.0", path, {"ids": "1,2"}).named_ids == ()


def test_several_things_are_read_by_their_ids(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    ad_id = graph.post("/act_1/ads", **AD)["id"]
    answer = graph.get("/v21.0/", ids=f"{set_id},act_1,{ad_id},700", fields="id")
    assert answer == {each: {"id": each} for each in (set_id, "act_1", ad_id, "700")}
    assert list(answer) == [set_id, "act_1", ad_id, "700"]


def test_several_things_have_the_fields_that_are_asked_of_them(graph: GraphCaller) -> None:
    graph.post("/700", name="one")
    answer = graph.get("/", ids="700,701", fields="name,adset_id")
    assert answer == {"700": {"id": "700", "name": "one"}, "701": {"id": "701"}}
    error = graph.get("/", ids="700,701", fields="nonsense")["error"]
    assert error["error_data"] == {"blame_field_specs": [["fields"]]}


def test_one_thing_that_is_missing_fails_all(graph: GraphCaller) -> None:
    for ids in (f"700,{NEVER_GIVEN}", "700,nobody"):
        answer = graph.call("GET", "/", params={"ids": ids})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 803)
        assert answer.json()["error"]["message"].endswith(ids.removeprefix("700,"))


def test_fifty_things_are_read_and_no_more(graph: GraphCaller) -> None:
    ids = [str(number) for number in range(700, 751)]
    assert list(graph.get("/", ids=",".join(ids[:50]))) == ids[:50]
    error = graph.get("/", ids=",".join(ids))["error"]
    assert error["error_data"] == {"blame_field_specs": [["ids"]]}


def test_an_edge_of_several_things_is_read(graph: GraphCaller) -> None:
    first, second = graph.create("1", [AD] * 2), graph.create("1", [AD])
    answer = graph.get("/v21.0/requests", ids=f"{first},{second}", limit="1")
    assert list(answer) == [first, second]
    following = graph.session.get(answer[first]["paging"]["next"]).json()
    assert len(following["data"]) == 1
    assert "next" not in answer[second]["paging"]
    assert graph.get("/nonsense", ids=first)["error"]["code"] == 2500


def test_insights_of_several_ads_are_read(graph: GraphCaller) -> None:
    answer = graph.get("/insights", ids="700,701")
    assert [row["ad_id"] for page in answer.values() for row in page["data"]] == ["700", "701"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_several_things_are_only_read(graph: GraphCaller, method: str) -> None:
    answer = graph.call(method, "/", params={"ids": "700,701"})
    assert answer.json()["error"]["code"] == 2500


@pytest.mark.parametrize(
    ("edge", "field"),
    [("ads", "bid_amount"), ("adsets", "objective"), ("asyncadrequests", "daily_budget")],
)
def test_an_id_that_nobody_knows_is_what_its_edge_says(
    graph: GraphCaller, edge: str, field: str
) -> None:
    assert graph.get(f"/700/{edge}") == {"data": []}
    assert graph.get("/700", fields=field) == {"id": "700"}


def test_a_strict_world_has_only_what_was_made_in_it() -> None:
    world = World(first_id=100, perform=views.perform, is_strict=True)
    world.account("1")

    def call(method: str, path: str, **parameters: Any) -> Any:
        return views.answer(world, {}, GraphCall(method, "v21.0", path, parameters), now=NOW)

    made = call("POST", "/act_1/campaigns", name="c", objective="OUTCOME_TRAFFIC")
    assert call("GET", f"/{made['id']}") == made
    assert call(
        "GET", "/act_1/insights", filtering='[{"field":"ad.id","operator":"IN","value":[5]}]'
    ) == {"data": []}
    for method, path, parameters in (
        ("GET", "/5", {}),
        ("POST", "/5", {"name": "new"}),
        ("GET", "/5/ads", {}),
        ("GET", "/act_2", {}),
        ("POST", "/act_1/ads", AD),
    ):
        with pytest.raises(GraphFault) as raised:
            call(method, path, **parameters)
        assert (raised.value.code, raised.value.subcode) == (100, 33)
    with pytest.raises(GraphFault) as raised:
        call("GET", "/", ids="5")
    assert raised.value.code == 803


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_an_unknown_object_is_said_to_be_missing(graph: GraphCaller, method: str) -> None:
    answer = graph.call(method, f"/v21.0/{NEVER_GIVEN}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
    assert error["type"] == "GraphMethodException"
    assert f"Unsupported {method.lower()} request" in error["message"]


@pytest.mark.parametrize("path", ["/", "/nonsense", "/v21.0/act_1/nonsense", "/1/2/3", "/act_x"])
def test_an_unknown_path_is_refused(graph: GraphCaller, path: str) -> None:
    answer = graph.call("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)


def test_the_sdks_crash_report_is_taken(graph: GraphCaller) -> None:
    assert graph.post("/v26.0/1234/instruments", bizsdk_crash_report="{}") == {"success": True}


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH"])
def test_a_method_that_graph_does_not_have_changes_nothing(graph: GraphCaller, method: str) -> None:
    graph.post("/700", name="before")
    answer = graph.call(method, "/700", params={"name": "after"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    assert graph.get("/700", fields="name")["name"] == "before"


def test_copies_are_not_for_everybody(graph: GraphCaller) -> None:
    answer = graph.call("POST", "/act_1/asyncadcopies", data={"ad_object_ids": "[1]"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 10)
