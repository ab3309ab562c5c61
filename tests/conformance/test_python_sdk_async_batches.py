"""The official Python SDK sends async batches and reads what became of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from facebook_business.adobjects.adasyncrequest import AdAsyncRequest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.asyncrequest import AsyncRequest
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import ad_spec
from tests.support.sandbox import SandboxControl
from tests.support.sdk import ids

Operation = dict[str, str]


def campaign(name: str) -> Operation:
    form = {"name": "Test Campaign", "objective": "OUTCOME_TRAFFIC", "status": "PAUSED"}
    body = urlencode({**form, "special_ad_categories": "[]"})
    return {"name": name, "relative_url": "act_1/campaigns", "body": body}


def impossible_campaign(name: str) -> Operation:
    """Return an operation that fails: there is no campaign without an objective."""
    return {**campaign(name), "body": "name=Test+Campaign"}


def ad_set(name: str, *, campaign_id: str) -> Operation:
    form = {
        "name": "First Ad Set Test",
        "campaign_id": campaign_id,
        "targeting": json.dumps({"geo_locations": {"countries": ["US"]}}),
        "daily_budget": "5000",
        "bid_amount": "2",
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "REACH",
    }
    return {"name": name, "relative_url": "act_1/adsets", "body": urlencode(form)}


CAMPAIGN_WITH_AD_SET = [
    campaign("create-campaign"),
    ad_set("create-adset", campaign_id="{result=create-campaign:$.id}"),
]


def send(account: Any, *, operations: list[Operation], name: str = "batchapiexample") -> Any:
    """Send a batch. The SDK takes what comes back for a campaign, and it is the id of a set."""
    made = account.create_async_batch_request(params={"name": name, "adbatch": operations})
    return AdAsyncRequestSet(made["id"], api=account.get_api())


def statuses(request_set: Any) -> list[str]:
    return [each["status"] for each in request_set.get_requests(fields=["status"])]


def test_a_batch_answers_the_id_of_a_set(account: Any) -> None:
    request_set = send(account, operations=CAMPAIGN_WITH_AD_SET)
    shown = request_set.api_get().export_all_data()
    assert shown == {
        "id": request_set["id"],
        "owner_id": "1",
        "name": "batchapiexample",
        "is_completed": True,
    }


def test_an_operation_uses_what_an_earlier_one_made(api: Any, account: Any) -> None:
    request_set = send(account, operations=CAMPAIGN_WITH_AD_SET)
    made_campaign, made_ad_set = request_set.get_requests(fields=["status", "result"])
    assert (made_campaign["status"], made_ad_set["status"]) == ("SUCCESS", "SUCCESS")
    read = AdSet(made_ad_set["result"]["id"], api=api).api_get(fields=["name", "campaign_id"])
    assert read["campaign_id"] == made_campaign["result"]["id"]
    assert read["name"] == "First Ad Set Test"


def test_a_body_may_be_percent_encoded_as_a_whole(api: Any, account: Any) -> None:
    operations = [{**each, "body": quote(each["body"])} for each in CAMPAIGN_WITH_AD_SET]
    _, made = send(account, operations=operations).get_requests(fields=["result"])
    assert AdSet(made["result"]["id"], api=api).api_get(fields=["name"])["name"]


def test_the_counts_of_a_batch_add_up(account: Any) -> None:
    operations = [campaign("one"), impossible_campaign("two"), campaign("three")]
    request_set = send(account, operations=operations)
    request_set.api_get(fields=["total_count", "success_count", "error_count"])
    assert request_set["total_count"] == 3
    assert (request_set["success_count"], request_set["error_count"]) == (2, 1)


def test_what_depends_on_a_failure_is_not_done(account: Any) -> None:
    operations = [
        impossible_campaign("create-campaign"),
        ad_set("create-adset", campaign_id="{result=create-campaign:$.id}"),
        campaign("another"),
    ]
    assert statuses(send(account, operations=operations)) == [
        "ERROR",
        "ERROR_DEPENDENCY",
        "SUCCESS",
    ]


def test_what_depends_on_an_operation_waits_for_it(account: Any, sandbox: SandboxControl) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    request_set = send(account, operations=CAMPAIGN_WITH_AD_SET)
    assert statuses(request_set) == ["INITIAL", "PENDING_DEPENDENCY"]
    first = request_set.get_requests().get_one()
    first.api_delete()
    assert statuses(request_set) == ["CANCELED", "CANCELED_DEPENDENCY"]


def test_requests_of_a_batch_show_what_was_sent(account: Any) -> None:
    request = (
        send(account, operations=[campaign("one")]).get_requests(fields=["input", "type"]).get_one()
    )
    assert isinstance(request, AdAsyncRequest)
    assert request["type"] == AsyncRequest.Type.batch_api
    assert request["input"]["name"] == "one"
    assert request["input"]["relative_url"] == "act_1/campaigns"


def test_a_thousand_operations_are_one_batch(account: Any) -> None:
    request_set = send(account, operations=[campaign(f"number-{number}") for number in range(1000)])
    request_set.api_get(fields=["total_count", "success_count"])
    assert (request_set["total_count"], request_set["success_count"]) == (1000, 1000)
    assert request_set.get_requests().total() == 1000


def test_more_than_a_thousand_operations_are_too_many(account: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        send(account, operations=[campaign(f"number-{number}") for number in range(1001)])
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)


@pytest.mark.parametrize("part", ["name", "relative_url", "body"])
def test_an_operation_needs_each_of_its_parts(account: Any, part: str) -> None:
    incomplete = campaign("one")
    del incomplete[part]
    with pytest.raises(FacebookRequestError, match=part) as raised:
        send(account, operations=[incomplete])
    assert raised.value.api_error_code() in (100, 194)


@pytest.mark.sandbox_only(
    "notification_status and _result are those of the own delivery, which comes a moment later"
)
def test_the_notification_of_a_batch_is_set_afterwards(
    account: Any, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"}, notification={"kind": "lost"})
    request_set = send(account, operations=[campaign("one")])
    uri = "http://127.0.0.1:9/hook"
    request_set.api_update(params={"notification_mode": "ON_COMPLETE", "notification_uri": uri})
    sandbox.complete(request_set["id"])
    request_set.api_get(fields=["notification_status", "notification_uri"])
    assert (request_set["notification_status"], request_set["notification_uri"]) == ("SENT", uri)


def test_an_account_lists_its_async_requests(account: Any) -> None:
    first, second = (
        send(account, operations=[campaign("one")], name=name)["id"] for name in ("a", "b")
    )
    listed = list(account.get_async_requests())
    assert ids(listed) == [second, first]
    assert all(isinstance(each, AsyncRequest) for each in listed)
    assert [(each["name"], each["is_completed"]) for each in listed] == [("b", True), ("a", True)]


def test_the_status_and_type_of_an_async_request_are_numbers(account: Any) -> None:
    send(account, operations=[campaign("one")])
    listed = account.get_async_requests(fields=["id", "status", "type"]).get_one()
    assert int(listed["id"])
    assert (type(listed["status"]), type(listed["type"])) == (int, int)


def test_async_requests_are_filtered_by_type(account: Any) -> None:
    batch = send(account, operations=[campaign("one")])["id"]
    ads = account.create_async_ad_request_set(params={"name": "ads", "ad_specs": [ad_spec("one")]})
    kinds = AsyncRequest.Type
    list_requests = account.get_async_requests
    assert ids(list_requests(params={"type": kinds.batch_api})) == [batch]
    assert ids(list_requests(params={"type": kinds.async_adgroup_creation})) == [ads["id"]]
    assert list(list_requests(params={"type": kinds.drafts})) == []


def test_async_requests_are_filtered_by_status(account: Any, sandbox: SandboxControl) -> None:
    done = send(account, operations=[campaign("one")])["id"]
    sandbox.configure("1", progress={"kind": "by_hand"})
    waiting = send(account, operations=[campaign("one")])["id"]
    words = AsyncRequest.Status
    list_requests = account.get_async_requests
    assert ids(list_requests(params={"status": words.finished})) == [done]
    assert ids(list_requests(params={"status": words.initialized})) == [waiting]
    assert list(list_requests(params={"status": words.executing})) == []


def test_more_than_25_async_requests_come_page_by_page(account: Any) -> None:
    made = [send(account, operations=[campaign("one")])["id"] for _ in range(30)]
    cursor = account.get_async_requests()
    assert (len(cursor), cursor.total()) == (25, 30)
    assert ids(cursor) == made[::-1]
