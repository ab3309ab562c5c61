"""The official Python SDK's own manners: ETags, usage headers, the default api, crash reports."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.api import FacebookAdsApi
from facebook_business.crashreporter import CrashReporter
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.conformance.page import ad_spec
from tests.support.sandbox import SandboxControl

ACCOUNT_PATH = ("act_1",)
SETS_PATH = ("act_1", "asyncadrequestsets")


def create_set(api: Any) -> Any:
    return AdAccount("act_1", api=api).create_async_ad_request_set(
        params={"name": "demo", "ad_specs": [ad_spec("one")]}
    )


def test_an_answer_has_an_etag(api: Any) -> None:
    tag = api.call("GET", ACCOUNT_PATH).etag()
    assert tag.startswith('"')
    assert len(tag.strip('"')) == 40


def test_what_has_not_changed_is_answered_with_304_and_nothing_else(api: Any) -> None:
    create_set(api)
    tag = api.call("GET", SETS_PATH).etag()
    response = api.call("GET", SETS_PATH, headers={"If-None-Match": tag})
    assert (response.status(), response.body(), response.is_success()) == (304, "", True)


def test_what_has_changed_is_answered(api: Any) -> None:
    tag = api.call("GET", SETS_PATH).etag()
    made = create_set(api)
    response = api.call("GET", SETS_PATH, headers={"If-None-Match": tag})
    assert response.status() == 200
    assert [each["id"] for each in response.json()["data"]] == [made["id"]]
    assert response.etag() != tag


def test_an_etag_belongs_to_the_parameters_too(api: Any) -> None:
    tag = api.call("GET", ACCOUNT_PATH, params={"fields": "id"}).etag()
    response = api.call(
        "GET", ACCOUNT_PATH, params={"fields": "id,name"}, headers={"If-None-Match": tag}
    )
    assert response.status() == 200


def test_a_write_has_no_etag(api: Any) -> None:
    request_set = create_set(api)
    assert api.call("POST", (request_set["id"],), params={"name": "new"}).etag() is None


@pytest.mark.sandbox_only("what a receiver refuses or answers itself uses nothing")
def test_the_usage_of_an_account_is_read_from_an_answer(api: Any) -> None:
    headers = api.call("GET", SETS_PATH).headers()
    usage = json.loads(headers["x-ad-account-usage"])
    assert usage.keys() >= {"acc_id_util_pct", "reset_time_duration", "ads_api_access_tier"}
    ((kind, *_),) = json.loads(headers["X-Business-Use-Case-Usage"]).values()
    assert kind["type"] == "ads_management"
    assert type(kind["call_count"]) is int
    assert type(kind["estimated_time_to_regain_access"]) is int


@pytest.mark.sandbox_only("what a receiver refuses or answers itself uses nothing")
def test_the_usage_of_an_account_is_read_from_a_list(api: Any) -> None:
    cursor = AdAccount("act_1", api=api).get_async_ad_request_sets()
    assert "acc_id_util_pct" in cursor.headers()["X-Ad-Account-Usage"]


@pytest.mark.sandbox_only("what a receiver refuses or answers itself uses nothing")
def test_usage_rises_with_the_calls(api: Any) -> None:
    def used() -> float:
        headers = api.call("GET", SETS_PATH).headers()
        percent: float = json.loads(headers["X-Ad-Account-Usage"])["acc_id_util_pct"]
        return percent

    before = used()
    for _ in range(10):
        create_set(api)
    assert used() > before


def test_an_answer_names_its_version(api: Any) -> None:
    assert api.call("GET", ACCOUNT_PATH).headers()["facebook-api-version"] == "v26.0"
    older = api.call("GET", ACCOUNT_PATH, api_version="v21.0")
    assert older.headers()["facebook-api-version"] == "v21.0"


@pytest.fixture
def initialised(
    sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SandboxControl]:
    """The SDK as its own README starts it, but for the host: a default api and crash reports."""
    monkeypatch.setattr(FacebookSession, "GRAPH", sandbox.url)
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    monkeypatch.setattr(CrashReporter, "logger", logging.getLogger("crash-reporter"))
    monkeypatch.setattr(FacebookAdsApi, "_default_api", None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    api = FacebookAdsApi.init("1", "app-secret", "token")
    with api._session.requests:
        yield sandbox
    CrashReporter.disable()


@pytest.mark.usefixtures("initialised")
def test_the_default_api_calls_the_host_of_its_class() -> None:
    request_set = create_set(None)
    assert AdAsyncRequestSet(request_set["id"]).api_get()["name"] == "demo"


def test_a_crash_report_is_accepted_though_it_has_no_token(
    initialised: SandboxControl, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(FacebookRequestError) as raised:
        AdAsyncRequestSet("9" * 18).api_get()
    sys.excepthook(raised.type, raised.value, raised.tb)
    last = initialised.calls()["calls"][-1]
    assert (last["method"], last["path"]) == ("POST", "/1/instruments")
    assert "Succeed to Send Crash Report." in caplog.messages
