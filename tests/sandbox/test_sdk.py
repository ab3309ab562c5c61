"""The official SDK, a client that we did not write, talks to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adasyncrequest import AdAsyncRequest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.support.sandbox import SandboxControl, running_sandbox

SECRET = "app-secret"


@pytest.fixture
def strict() -> Iterator[SandboxControl]:
    with running_sandbox(app_secret=SECRET) as control:
        yield control


@pytest.fixture
def api(strict: SandboxControl) -> Iterator[Any]:
    session = FacebookSession(app_id="1", app_secret=SECRET, access_token="token", timeout=10)
    session.GRAPH = strict.url
    session.requests.trust_env = False
    with session.requests:
        yield FacebookAdsApi(session, api_version="v26.0")


def create(api: Any, count: int) -> Any:
    specs = [{"name": f"ad {n}", "adset_id": "5", "status": "PAUSED"} for n in range(count)]
    specs[-1]["name"] = "will fail"
    account = AdAccount("act_1", api=api)
    return account.create_async_ad_request_set(params={"name": "demo", "ad_specs": specs})


def test_create_poll_and_collect(strict: SandboxControl, api: Any) -> None:
    strict.configure("1", progress={"kind": "after_reads", "reads": 3})
    request_set = create(api, 60)
    fields = ["is_completed", "total_count", "success_count", "error_count"]
    polls = 0
    while not request_set.get("is_completed"):
        request_set.api_get(fields=fields)
        polls += 1
    assert polls == 3
    assert [request_set[field] for field in fields] == [True, 60, 59, 1]
    requests = list(
        request_set.get_requests(
            fields=["id", "status", "result", "scope_object_id"],
            params={"statuses": ["SUCCESS", "ERROR"]},
        )
    )
    assert len(requests) == 60
    assert all(request["scope_object_id"] == "5" for request in requests)
    assert requests[-1]["status"] == "ERROR"
    assert requests[-1]["result"]["error_code"]
    listed = AdAccount("act_1", api=api).get_async_ad_request_sets(params={"is_completed": True})
    assert [each["id"] for each in listed] == [request_set["id"]]


def test_rename_and_cancel(strict: SandboxControl, api: Any) -> None:
    strict.configure("1", progress={"kind": "by_hand"})
    request_set = create(api, 3)
    request_set.api_update(params={"name": "renamed"})
    assert request_set.api_get(fields=["name"])["name"] == "renamed"
    first = next(iter(request_set.get_requests()))
    AdAsyncRequest(first["id"], api=api).api_delete()
    request_set.api_delete()
    shown = request_set.api_get(fields=["canceled_count", "is_completed"])
    assert (shown["canceled_count"], shown["is_completed"]) == (3, True)


def test_an_error_arrives_as_an_error(api: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        AdAsyncRequestSet("9" * 18, api=api).api_get()
    assert raised.value.api_error_code() == 100
    assert raised.value.api_error_subcode() == 33
