"""What Graph refuses arrives in the official Python SDK as an error with all its parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import ad_spec
from tests.support.sandbox import SandboxControl, running_sandbox
from tests.support.sdk import sdk_api

MISSING_ID = "9" * 18
SECRET = "app-secret"


@dataclass(frozen=True)
class Refusal:
    """A call that is refused, and what the SDK says of it."""

    call: Callable[[Any], object]
    code: int
    subcode: int | None = None
    type: str = "OAuthException"
    blamed: str | None = None
    token: str = "token"
    message: str = ""


def read_account(api: Any) -> object:
    return AdAccount("act_1", api=api).api_get()


def read_with(fields: str) -> Callable[[Any], object]:
    return lambda api: AdAccount("act_1", api=api).get_async_ad_request_sets(
        params={"fields": fields}
    )


def create_with(**params: Any) -> Callable[[Any], object]:
    spec = {"name": "demo", "ad_specs": [ad_spec("one")]}
    return lambda api: AdAccount("act_1", api=api).create_async_ad_request_set(
        params={**spec, **params}
    )


REFUSALS = {
    "no token": Refusal(read_account, 2500, token="", message="access token"),
    "an invalid token": Refusal(read_account, 190, token="invalid-1", message="access token"),
    "an expired token": Refusal(
        read_account, 190, 463, token="expired-1", message="Session has expired"
    ),
    "an unknown field": Refusal(read_with("nonsense"), 100, blamed="fields", message="nonsense"),
    "an unknown edge": Refusal(
        lambda api: api.call("GET", ("act_1", "nonsense")), 2500, message="/nonsense"
    ),
    "an old version": Refusal(
        lambda api: api.call("GET", ("act_1",), api_version="v1.0"), 2635, message="version"
    ),
    "a missing object": Refusal(
        lambda api: AdAsyncRequestSet(MISSING_ID, api=api).api_get(),
        100,
        33,
        type="GraphMethodException",
        message=MISSING_ID,
    ),
    "an update of a missing object": Refusal(
        lambda api: AdAsyncRequestSet(MISSING_ID, api=api).api_update(params={"name": "new"}),
        100,
        33,
        type="GraphMethodException",
        message="post request",
    ),
    "an empty list of ads": Refusal(create_with(ad_specs=[]), 100, blamed="ad_specs"),
    "a notification without a URI": Refusal(
        create_with(notification_mode="ON_COMPLETE"), 100, blamed="notification_uri"
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_arrives_with_all_its_parts(sandbox: SandboxControl, name: str) -> None:
    refusal = REFUSALS[name]
    with (
        sdk_api(sandbox.url, token=refusal.token) as api,
        pytest.raises(FacebookRequestError) as raised,
    ):
        refusal.call(api)
    error = raised.value
    assert (error.api_error_code(), error.api_error_subcode()) == (refusal.code, refusal.subcode)
    assert error.api_error_type() == refusal.type
    assert error.api_blame_field_specs() == (refusal.blamed and [[refusal.blamed]])
    assert refusal.message in error.api_error_message()
    assert not error.api_transient_error()
    assert error.http_status() == 400
    assert error.body()["error"]["fbtrace_id"]


def test_the_headers_of_an_error_are_at_hand(sandbox: SandboxControl) -> None:
    with (
        sdk_api(sandbox.url, token="invalid-1") as api,
        pytest.raises(FacebookRequestError) as raised,
    ):
        read_account(api)
    headers = raised.value.http_headers()
    assert headers["www-authenticate"].startswith('OAuth "Facebook Platform" "invalid_token"')
    assert headers["Facebook-API-Version"] == "v26.0"
    assert headers["cache-control"] == "no-store"
    assert headers["x-fb-trace-id"]
    assert headers["content-type"] == "application/json; charset=UTF-8"


@pytest.mark.sandbox_only("what a receiver refuses or answers itself uses nothing")
def test_an_error_has_the_usage_of_the_account_in_its_headers(api: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        read_with("nonsense")(api)
    headers = raised.value.http_headers()
    assert {"x-ad-account-usage", "x-business-use-case-usage"} <= {name.lower() for name in headers}


def test_an_error_that_will_pass_says_so(api: Any, sandbox: SandboxControl) -> None:
    sandbox.trouble("graph_error", code=2, is_transient=True, http_status=503)
    with pytest.raises(FacebookRequestError) as raised:
        read_account(api)
    assert raised.value.api_transient_error() is True
    assert (raised.value.http_status(), raised.value.api_error_code()) == (503, 2)
    assert read_account(api)


@pytest.mark.sandbox_only("a receiver refuses the call before Facebook has to")
@pytest.mark.parametrize(
    ("code", "subcode"), [(17, 2446079), (613, 1487742), (80004, 2446079)], ids=str
)
def test_an_account_that_was_called_too_often_says_so(
    api: Any, sandbox: SandboxControl, code: int, subcode: int
) -> None:
    sandbox.configure("1", limits={"enforced": True, "max_score": 3, "code": code})
    create_with()(api)
    with pytest.raises(FacebookRequestError) as raised:
        create_with()(api)
    error = raised.value
    assert (error.http_status(), error.api_error_code()) == (400, code)
    assert error.api_error_subcode() == subcode
    usage = json.loads(error.http_headers()["X-Business-Use-Case-Usage"])["1"]
    assert usage[0]["call_count"] >= 100
    assert usage[0]["estimated_time_to_regain_access"] >= 1


def test_an_error_with_status_200_is_an_error(api: Any, sandbox: SandboxControl) -> None:
    sandbox.trouble("error_in_200", code=1)
    with pytest.raises(FacebookRequestError) as raised:
        read_account(api)
    assert (raised.value.http_status(), raised.value.api_error_code()) == (200, 1)


def test_the_token_stands_in_no_error(sandbox: SandboxControl) -> None:
    with (
        sdk_api(sandbox.url, token="expired-and-secret") as api,
        pytest.raises(FacebookRequestError) as raised,
    ):
        read_account(api)
    assert "expired-and-secret" not in str(raised.value.body())
    assert "expired-and-secret" not in str(raised.value.http_headers())


def test_a_proof_that_is_right_is_accepted() -> None:
    with (
        running_sandbox(app_secret=SECRET) as sandbox,
        sdk_api(sandbox.url, app_secret=SECRET) as api,
    ):
        assert create_with()(api)


@pytest.mark.parametrize(
    ("app_secret", "message"),
    [
        (hashlib.sha256(b"another").hexdigest(), "Invalid appsecret_proof"),
        (None, "require an appsecret_proof"),
    ],
    ids=["wrong", "missing"],
)
def test_a_proof_that_is_wrong_or_missing_is_refused(app_secret: str | None, message: str) -> None:
    with (
        running_sandbox(app_secret=SECRET) as sandbox,
        sdk_api(sandbox.url, app_secret=app_secret) as api,
        pytest.raises(FacebookRequestError) as raised,
    ):
        read_account(api)
    assert raised.value.api_error_code() == 100
    assert raised.value.api_error_type() == "GraphMethodException"
    assert message in raised.value.api_error_message()
