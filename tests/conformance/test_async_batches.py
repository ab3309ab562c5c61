"""The page's third part: the Batch API, whose operations are done after the call was answered."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conformance.curl import Answer, Shell
from tests.support.sandbox import GraphCaller, SandboxControl

ACCOUNT = "123456"
SET_DEFAULTS = {"id", "owner_id", "name", "is_completed"}
STATUS_FIELDS = "id,owner_id,name,total_count,success_count,error_count,is_completed"
REQUEST_FIELDS = "id,scope_object_id,status,result,input,async_request_set"
CAMPAIGN = {
    "name": "one",
    "relative_url": f"act_{ACCOUNT}/campaigns",
    "body": "name=one&objective=OUTCOME_TRAFFIC&status=PAUSED&special_ad_categories=[]",
}


@pytest.fixture
def set_id(shell: Shell) -> str:
    """The set of the page's own example."""
    answer = shell.paste("async-batch-example")
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"id"}
    created: str = answer.json["id"]
    return created


def submit(shell: Shell, operations: list[Any], **filling: str) -> Answer:
    """Paste the page's template of a batch, with these operations in a file."""
    (shell.folder / "operations.json").write_text(json.dumps(operations))
    placeholder = "<an array of requests>"
    return shell.paste(
        "async-batch", {placeholder: "<operations.json", "<AD_ACCOUNT_ID>": ACCOUNT, **filling}
    )


def requests_of(shell: Shell, set_id: str, *, fields: str = REQUEST_FIELDS) -> list[dict[str, Any]]:
    filling = {"<comma separated list of fields>": fields, "<REQUEST_SET_ID>": set_id}
    # While a receiver's worker is at this set, a read is answered from what is stored of it.
    ends = time.monotonic() + 20
    while True:
        page = shell.paste("async-batch-requests", filling).json
        data: list[dict[str, Any]] = page["data"]
        if data or time.monotonic() > ends:
            return data
        time.sleep(0.2)


def test_a_batch_is_taken_and_answered_by_an_id(shell: Shell, graph: GraphCaller) -> None:
    answer = submit(shell, [CAMPAIGN])
    assert (answer.status, set(answer.json)) == (200, {"id"})
    assert graph.get(f"/{answer.json['id']}")["name"] == "asyncbatchreqs"


def test_a_campaign_and_its_ad_set_are_created(
    shell: Shell, graph: GraphCaller, set_id: str
) -> None:
    campaign, ad_set = (
        request["result"]["id"] for request in requests_of(shell, set_id, fields="result")
    )
    assert graph.get(f"/{campaign}", fields="name,objective,status,buying_type") == {
        "id": campaign,
        "name": "Test Campaign",
        "objective": "LINK_CLICKS",
        "status": "PAUSED",
        "buying_type": "AUCTION",
    }
    fields = "name,campaign_id,daily_budget,bid_amount,billing_event,targeting"
    shown = graph.get(f"/{ad_set}", fields=fields)
    assert (shown["name"], shown["campaign_id"]) == ("First Ad Set Test", campaign)
    assert (str(shown["daily_budget"]), str(shown["bid_amount"])) == ("5000", "2")
    assert shown["billing_event"] == "LINK_CLICKS"
    assert shown["targeting"] == {"geo_locations": {"countries": ["US"]}}


def test_the_status_of_a_batch(shell: Shell, set_id: str) -> None:
    filling = {"<comma separated list of fields>": STATUS_FIELDS, "<REQUEST_SET_ID>": set_id}
    assert shell.paste("async-batch-status", filling).json == {
        "id": set_id,
        "owner_id": ACCOUNT,
        "name": "batchapiexample",
        "total_count": 2,
        "success_count": 2,
        "error_count": 0,
        "is_completed": True,
    }


def test_the_requests_of_a_batch(shell: Shell, set_id: str) -> None:
    campaign, ad_set = requests_of(shell, set_id)
    assert (campaign["status"], ad_set["status"]) == ("SUCCESS", "SUCCESS")
    assert set(ad_set) == set(REQUEST_FIELDS.split(","))
    assert ad_set["scope_object_id"] == campaign["result"]["id"]
    assert ad_set["async_request_set"]["id"] == set_id


def test_a_dependent_operation_waits_for_the_one_it_needs(
    shell: Shell, sandbox: SandboxControl
) -> None:
    sandbox.configure(ACCOUNT, progress={"kind": "by_hand"})
    set_id = shell.paste("async-batch-example").json["id"]
    campaign, ad_set = requests_of(shell, set_id, fields="status")
    assert (campaign["status"], ad_set["status"]) == ("INITIAL", "PENDING_DEPENDENCY")
    sandbox.complete(set_id)
    assert {one["status"] for one in requests_of(shell, set_id, fields="status")} == {"SUCCESS"}


def test_an_ad_is_among_the_requests_of_the_ad_set_that_its_batch_created(
    shell: Shell, graph: GraphCaller
) -> None:
    ad_set = {
        "name": "ad-set",
        "relative_url": f"act_{ACCOUNT}/adsets",
        "body": "name=two&campaign_id={result=one:$.id}&daily_budget=5000&bid_amount=2"
        '&billing_event=IMPRESSIONS&targeting={"geo_locations":{"countries":["US"]}}',
    }
    ad = {
        "name": "ad",
        "relative_url": f"act_{ACCOUNT}/ads",
        "body": "name=three&adset_id={result=ad-set:$.id}&status=PAUSED"
        '&creative={"creative_id":"6008248529001"}',
    }
    set_id = submit(shell, [CAMPAIGN, ad_set, ad]).json["id"]
    _, made_ad_set, made_ad = requests_of(shell, set_id)
    assert made_ad["status"] == "SUCCESS"
    assert made_ad["scope_object_id"] == made_ad_set["result"]["id"]
    page = graph.get(f"/{made_ad_set['result']['id']}/asyncadrequests")
    assert [each["id"] for each in page["data"]] == [made_ad["id"]]


def test_the_sets_of_an_account(shell: Shell, set_id: str) -> None:
    second = submit(shell, [CAMPAIGN]).json["id"]
    page = shell.paste("account-async-requests", {"<AD_ACCOUNT_ID>": ACCOUNT}).json
    assert {each["id"] for each in page["data"]} == {set_id, second}
    assert all(set(each) == SET_DEFAULTS for each in page["data"])


@pytest.mark.parametrize("key", ["name", "relative_url", "body"])
def test_an_operation_needs_its_name_its_url_and_its_body(shell: Shell, key: str) -> None:
    operation = {name: value for name, value in CAMPAIGN.items() if name != key}
    answer = submit(shell, [operation])
    assert (answer.status, answer.json["error"]["code"]) == (400, 194)


def test_a_batch_needs_a_name(shell: Shell) -> None:
    answer = submit(shell, [CAMPAIGN], **{'-F "name=asyncbatchreqs" \\\n': ""})
    assert (answer.status, answer.json["error"]["code"]) == (400, 194)


def test_a_batch_holds_a_thousand_operations_and_no_more(shell: Shell, graph: GraphCaller) -> None:
    thousand = [{**CAMPAIGN, "name": f"campaign-{number}"} for number in range(1000)]
    set_id = submit(shell, thousand).json["id"]
    shown = graph.get(f"/{set_id}", fields="total_count,success_count")
    assert (shown["total_count"], shown["success_count"]) == (1000, 1000)
    refused = submit(shell, [*thousand, CAMPAIGN])
    assert (refused.status, refused.json["error"]["code"]) == (400, 100)
