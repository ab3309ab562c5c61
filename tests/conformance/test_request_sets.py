"""The page's first part, its reads: ad request sets and their requests."""

from __future__ import annotations

import pytest

from tests.conformance.curl import Shell
from tests.conformance.page import ACCOUNT, AD_SET, ad_spec, printed_json, shape
from tests.support.sandbox import GraphCaller, SandboxControl

SET_DEFAULTS = {"id", "owner_id", "name", "is_completed"}
REQUEST_DEFAULTS = {"id", "scope_object_id", "status"}


def request_ids(graph: GraphCaller, set_id: str) -> list[str]:
    return [request["id"] for request in graph.read_requests(set_id)]


@pytest.fixture
def set_id(graph: GraphCaller) -> str:
    """A completed set of two ads and one that failed."""
    specs = [ad_spec("one"), ad_spec("two"), ad_spec("will fail")]
    return graph.create(ACCOUNT, specs, name="testasyncset")


def test_the_status_of_a_set(shell: Shell, set_id: str) -> None:
    answer = shell.paste("set-status", {"<REQUEST_SET_ID>": set_id})
    assert answer.status == 200
    assert answer.json == {
        "id": set_id,
        "name": "testasyncset",
        "success_count": 2,
        "error_count": 1,
        "is_completed": True,
    }


def test_fields_that_are_not_shown_by_default_can_be_asked_for(shell: Shell, set_id: str) -> None:
    fields = "id,owner_id,name,total_count,success_count,error_count,is_completed"
    asked = {"name,success_count,error_count,is_completed": fields, "<REQUEST_SET_ID>": set_id}
    answer = shell.paste("set-status", asked).json
    assert set(answer) == set(fields.split(","))
    assert (answer["owner_id"], answer["total_count"]) == (ACCOUNT, 3)


def test_the_requests_of_a_set(shell: Shell, set_id: str) -> None:
    page = shell.paste("set-requests", {"<REQUEST_SET_ID>": set_id}).json
    assert [request["status"] for request in page["data"]] == ["SUCCESS", "SUCCESS", "ERROR"]
    assert all(set(request) == {"id", "status"} for request in page["data"])


def test_requests_show_other_fields_on_request(shell: Shell, set_id: str) -> None:
    fields = "id,scope_object_id,status,result,input,async_request_set"
    asked = {"id,status": fields, "<REQUEST_SET_ID>": set_id}
    page = shell.paste("set-requests", asked).json
    assert all(set(request) == set(fields.split(",")) for request in page["data"])


@pytest.fixture
def set_of_every_status(shell: Shell, sandbox: SandboxControl, graph: GraphCaller) -> str:
    """A set whose five requests have each another status, in the page's order of statuses."""
    sandbox.configure(ACCOUNT, progress={"kind": "by_hand"})
    names = ("success", "fail", "in progress", "initial", "canceled")
    set_id = graph.create(ACCOUNT, [ad_spec(name) for name in names])
    shell.paste("cancel-request", {"<REQUEST_ID>": request_ids(graph, set_id)[4]})
    sandbox.advance(set_id, requests=2)
    return set_id


@pytest.mark.parametrize(
    "wanted",
    [
        "initial",
        "in_progress",
        "success",
        "error",
        "canceled",
        "initial,in_progress",
        "success,error,canceled",
        "initial,in_progress,success,error,canceled",
    ],
)
def test_requests_are_filtered_by_any_combination_of_statuses(
    shell: Shell, set_of_every_status: str, wanted: str
) -> None:
    status = {"fields=id,status": f"status={wanted}"}
    expected = sorted(wanted.upper().split(","))
    for example, placeholder, value in (
        ("set-requests", "<REQUEST_SET_ID>", set_of_every_status),
        ("ad-set-requests", "<AD_SET_ID>", AD_SET),
    ):
        page = shell.paste(example, {**status, placeholder: value}).json
        assert sorted(request["status"] for request in page["data"]) == expected


def test_every_counter_counts_its_status(graph: GraphCaller, set_of_every_status: str) -> None:
    counters = ("initial", "in_progress", "success", "error", "canceled")
    fields = ",".join(f"{counter}_count" for counter in counters)
    shown = graph.get(f"/{set_of_every_status}", fields=f"total_count,is_completed,{fields}")
    assert [shown[f"{counter}_count"] for counter in counters] == [1] * 5
    assert (shown["total_count"], shown["is_completed"]) == (5, False)


def test_a_specific_request(shell: Shell, graph: GraphCaller, set_id: str) -> None:
    failed = request_ids(graph, set_id)[2]
    answer = shell.paste("one-request", {"<REQUEST_ID>": failed})
    assert answer.json == {"id": failed, "status": "ERROR"}


def test_a_specific_request_as_printed_is_every_request_of_the_set(
    shell: Shell, graph: GraphCaller, set_id: str
) -> None:
    page = shell.paste("one-request", {"<REQUEST_SET_ID>": set_id}, as_printed=True).json
    assert [request["id"] for request in page["data"]] == request_ids(graph, set_id)


def test_the_sets_of_an_account(shell: Shell, graph: GraphCaller, set_id: str) -> None:
    second = graph.create(ACCOUNT, [ad_spec("four")])
    graph.create("1", [ad_spec("of another account")])
    page = shell.paste("account-sets", {"<AD_ACCOUNT_ID>": ACCOUNT}).json
    assert {each["id"] for each in page["data"]} == {set_id, second}
    assert all(set(each) == SET_DEFAULTS for each in page["data"])


@pytest.mark.usefixtures("set_id", "open_set_id")
def test_the_completed_sets_of_an_account(shell: Shell, set_id: str) -> None:
    token = "-d 'access_token=<ACCESS_TOKEN>'"
    asked = {token: f"-d 'is_completed=true' {token}", "<AD_ACCOUNT_ID>": ACCOUNT}
    page = shell.paste("account-sets", asked).json
    assert [each["id"] for each in page["data"]] == [set_id]


def test_the_requests_of_an_ad_set(shell: Shell, graph: GraphCaller) -> None:
    graph.create(ACCOUNT, [ad_spec("one"), ad_spec("of another ad set", adset_id="5")])
    graph.create(ACCOUNT, [ad_spec("will fail")])
    page = shell.paste("ad-set-requests", {"<AD_SET_ID>": AD_SET}).json
    assert sorted(request["status"] for request in page["data"]) == ["ERROR", "SUCCESS"]
    assert all(set(request) == {"id", "status"} for request in page["data"])


def test_the_printed_status_of_a_set(shell: Shell, set_id: str) -> None:
    answer = shell.paste("sample-set", {"6012384857989": set_id})
    assert shape(answer.json) == shape(printed_json("sample-set"))
    assert answer.json == {
        "id": set_id,
        "owner_id": ACCOUNT,
        "name": "testasyncset",
        "is_completed": True,
    }
    assert "\n" in answer.text.strip()


def test_the_printed_results_of_requests(shell: Shell, graph: GraphCaller) -> None:
    set_id = graph.create(ACCOUNT, [ad_spec("one"), ad_spec("two")])
    answer = shell.paste("sample-results", {"6012384857989": set_id})
    assert shape(answer.json) == shape(printed_json("sample-results"))
    assert [request["id"] for request in answer.json["data"]] == request_ids(graph, set_id)
    assert "\n" in answer.text.strip()


@pytest.mark.usefixtures("set_id", "open_set_id")
def test_the_printed_sets_of_an_account(shell: Shell, set_id: str) -> None:
    answer = shell.paste("sample-account-sets")
    assert shape(answer.json) == shape(printed_json("sample-account-sets"))
    assert [each["id"] for each in answer.json["data"]] == [set_id]
    assert "\n" in answer.text.strip()


@pytest.mark.usefixtures("set_id", "open_set_id")
def test_the_printed_requests_of_an_ad_set(shell: Shell) -> None:
    answer = shell.paste("sample-ad-set-requests")
    assert shape(answer.json) == shape(printed_json("sample-ad-set-requests"))
    assert len(answer.json["data"]) == 3
    assert {request["scope_object_id"] for request in answer.json["data"]} == {AD_SET}
    assert "\n" in answer.text.strip()


def test_the_requests_of_a_campaign(shell: Shell, graph: GraphCaller) -> None:
    objective = {"name": "campaign", "objective": "OUTCOME_TRAFFIC", "status": "PAUSED"}
    campaign = graph.post(f"/act_{ACCOUNT}/campaigns", special_ad_categories="[]", **objective)[
        "id"
    ]
    terms = {"daily_budget": "5000", "billing_event": "IMPRESSIONS", "bid_amount": "2"}
    targeting = '{"geo_locations":{"countries":["US"]}}'
    ad_set = graph.post(
        f"/act_{ACCOUNT}/adsets", name="ad set", campaign_id=campaign, targeting=targeting, **terms
    )["id"]
    graph.create(ACCOUNT, [ad_spec("one", adset_id=ad_set), ad_spec("of another campaign")])
    page = shell.paste("sample-ad-set-requests", {"6008248529789": campaign}).json
    assert [request["scope_object_id"] for request in page["data"]] == [ad_set]
    assert set(page["data"][0]) == REQUEST_DEFAULTS
