from __future__ import annotations

import pytest

from tests.support.sandbox import GraphCaller, SandboxControl

AD = {"name": "ad", "adset_id": "5"}
EDGE = "/v21.0/act_1/asyncadrequestsets"


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": "nonsense"},
        {"limit": "0"},
        {"limit": "many"},
        {"after": "%%"},
        {"is_completed": "perhaps"},
    ],
)
def test_a_wrong_parameter_of_a_read_is_refused(graph: GraphCaller, wrong: dict[str, str]) -> None:
    answer = graph.call("GET", EDGE, params=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["error_data"] == {"blame_field_specs": [list(wrong)]}


def test_an_override_shows_raw_values(sandbox: SandboxControl, graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    (request,) = graph.get(f"/{set_id}/requests")["data"]
    hostile = {"error_code": "1e400", "error_message": "\x00 and \ud800"}
    sandbox.override(request["id"], status="SHINY_NEW", scope_object_id="\u202e", result=hostile)
    sandbox.override(set_id, total_count=-1)
    (shown,) = graph.get(f"/{set_id}/requests", fields="status,scope_object_id,result")["data"]
    assert (shown["status"], shown["scope_object_id"]) == ("SHINY_NEW", "\u202e")
    assert shown["result"] == hostile
    assert graph.get(f"/{set_id}", fields="total_count")["total_count"] == -1


def test_an_answer_is_pretty_on_request(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    assert "\n" in graph.call("GET", f"/{set_id}", params={"pretty": "true"}).text
    assert "\n" not in graph.call("GET", f"/{set_id}").text


def test_a_result_is_no_link_whatever_it_holds(sandbox: SandboxControl, graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    (request,) = graph.get(f"/{set_id}/requests", fields="result")["data"]
    graph.delete(f"/{request['result']['id']}")
    (again,) = graph.get(f"/{set_id}/requests", fields="result{id}")["data"]
    assert again == request
    sandbox.override(request["id"], result={"id": None})
    assert graph.get(f"/{set_id}/requests", fields="result{id}")["data"][0]["result"] == {
        "id": None
    }


def test_a_requests_set_can_be_expanded(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD])
    (request,) = graph.get(f"/{set_id}/requests", fields="async_request_set{total_count}")["data"]
    assert request["async_request_set"] == {"id": set_id, "total_count": 1}


def test_an_edge_expands_with_links_of_its_own(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD] * 3)
    shown = graph.get(f"/{set_id}", fields="name,requests.limit(2).status(SUCCESS){status}")
    page = shown["requests"]
    assert [list(request) for request in page["data"]] == [["status", "id"]] * 2
    rest = graph.session.get(page["paging"]["next"], timeout=10).json()
    assert [list(request) for request in rest["data"]] == [["status", "id"]]


def test_expansions_that_multiply_are_refused(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD] * 100)
    fields = "id"
    for _ in range(4):
        fields = f"requests.limit(100){{async_request_set{{{fields}}}}}"
    answer = graph.call("GET", f"/{set_id}", params={"fields": fields})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 1)
    assert "reduce the amount of data" in answer.json()["error"]["message"]


def test_links_to_pages_work_as_printed(graph: GraphCaller) -> None:
    set_id = graph.create("1", [AD] * 7)
    graph.session.headers["Authorization"] = "Bearer header-token"
    first = graph.session.get(f"{graph.url}/v21.0/{set_id}/requests?limit=3&fields=id").json()
    assert "access_token=header-token" in first["paging"]["next"]
    del graph.session.headers["Authorization"]
    pages = [first]
    while "next" in pages[-1]["paging"]:
        pages.append(graph.session.get(pages[-1]["paging"]["next"]).json())
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    back = graph.session.get(pages[-1]["paging"]["previous"]).json()
    assert back["data"] == pages[1]["data"]
    assert "previous" not in first["paging"]
