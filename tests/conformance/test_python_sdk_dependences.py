"""Operations of the official Python SDK's batches that use each other, and those that are null.

The SDK puts whatever is null into the batch that ``execute`` returns, as if it were not done yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import AD_SET, ad_spec
from tests.support.sandbox import SandboxControl
from tests.support.sdk import Callbacks

SETS_PATH = ("act_1", "asyncadrequestsets")


def new_set(name: str) -> dict[str, Any]:
    return {"name": name, "ad_specs": [ad_spec(f"ad of {name}")]}


def test_an_image_a_creative_of_it_and_three_ads_are_one_batch(
    api: Any, callbacks: Callbacks, picture: Path
) -> None:
    batch = api.new_batch()
    with picture.open("rb") as file:
        batch.add("POST", ("act_1", "adimages"), files={"test1": file})["name"] = "create_adimage"
        link = {
            "image_hash": "{result=create_adimage:$.images.*.hash}",
            "link": "https://www.test12345.com",
            "message": "this is a sample message",
        }
        story = {"page_id": "12345678", "link_data": link}
        creative = {"name": "sample creative", "object_story_spec": story}
        batch.add("POST", ("act_1", "adcreatives"), params=creative)["name"] = "create_creative"
        for key in ("test1", "test2", "test3"):
            ad = {"name": key, "adset_id": AD_SET, "status": "PAUSED"}
            reference = {"creative_id": "{result=create_creative:$.id}"}
            batch.add(
                "POST", ("act_1", "ads"), params={**ad, "creative": reference}, **callbacks.of(key)
            )
        retry = batch.execute()
    assert not callbacks.failures
    assert [each["name"] for each in retry._batch] == ["create_adimage", "create_creative"]
    account = AdAccount("act_1", api=api)
    (made,) = account.get_ad_creatives(fields=["object_story_spec"])
    (image,) = account.get_ad_images(fields=["hash"])
    assert made["object_story_spec"]["link_data"]["image_hash"] == image["hash"]
    ads = {ad["id"]: ad for ad in account.get_ads(fields=["name", "creative"])}
    assert {key: ads[each.json()["id"]]["name"] for key, each in callbacks.successes.items()} == {
        key: key for key in ("test1", "test2", "test3")
    }
    assert {ad["creative"]["id"] for ad in ads.values()} == {made["id"]}


def test_a_later_operation_uses_what_an_earlier_one_made(api: Any, callbacks: Callbacks) -> None:
    batch = api.new_batch()
    parent = batch.add("POST", SETS_PATH, params=new_set("parent"), **callbacks.of("parent"))
    parent["name"] = "parent"
    parent["omit_response_on_success"] = False
    batch.add("GET", "{result=parent:$.id}", params={"fields": "name"}, **callbacks.of("child"))
    assert batch.execute() is None
    child = callbacks.successes["child"].json()
    assert child == {"id": callbacks.successes["parent"].json()["id"], "name": "parent"}


def test_a_reference_stands_in_a_body_too(api: Any, callbacks: Callbacks) -> None:
    batch = api.new_batch()
    batch.add("POST", SETS_PATH, params=new_set("parent"))["name"] = "parent"
    update = {"name": "child of {result=parent:$.id}"}
    batch.add("POST", "{result=parent:$.id}", params=update, **callbacks.of("child"))["name"] = "up"
    batch.add("GET", SETS_PATH, params={"fields": "name"}, **callbacks.of("list"))["depends_on"] = (
        "up"
    )
    batch.execute()
    (only,) = callbacks.successes["list"].json()["data"]
    assert only["name"] == f"child of {only['id']}"


def test_a_parent_that_succeeds_is_null_and_seems_to_be_worth_a_retry(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    batch = api.new_batch()
    batch.add("POST", SETS_PATH, params=new_set("parent"), **callbacks.of("parent"))["name"] = "a"
    batch.add("GET", "{result=a:$.id}", **callbacks.of("child"))
    retry = batch.execute()
    assert callbacks.successes.keys() == {"child"}
    assert not callbacks.failures
    assert [operation["name"] for operation in retry._batch] == ["a"]
    assert sandbox.set_names() == ["parent"]


def test_a_retry_of_an_omitted_parent_makes_it_again(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    batch = api.new_batch()
    batch.add("POST", SETS_PATH, params=new_set("parent"), **callbacks.of("parent"))["name"] = "a"
    batch.add("GET", "{result=a:$.id}", **callbacks.of("child"))
    while batch:
        batch = batch.execute()
    assert sandbox.set_names() == ["parent", "parent"]
    first, second = sandbox.ledger()
    assert callbacks.successes["child"].json()["id"] == first["id"]
    assert callbacks.successes["parent"].json()["id"] == second["id"]


def add_child_of_a_failure(batch: Any, *, callbacks: Callbacks) -> None:
    batch.add("GET", "9" * 18, **callbacks.of("parent"))["name"] = "a"
    child = batch.add("POST", SETS_PATH, params=new_set("child"), **callbacks.of("child"))
    child["depends_on"] = "a"


def test_what_depends_on_a_failure_is_null_and_not_done(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    batch = api.new_batch()
    add_child_of_a_failure(batch, callbacks=callbacks)
    retry = batch.execute()
    assert callbacks.failures.keys() == {"parent"}
    assert callbacks.failures["parent"].error().api_error_subcode() == 33
    assert [operation["depends_on"] for operation in retry._batch] == ["a"]
    assert sandbox.set_names() == []


def test_a_retry_of_what_depends_on_a_failure_fails_as_a_whole(
    api: Any, callbacks: Callbacks
) -> None:
    batch = api.new_batch()
    add_child_of_a_failure(batch, callbacks=callbacks)
    with pytest.raises(FacebookRequestError, match="unresolved request") as raised:
        batch.execute().execute()
    assert raised.value.api_error_type() == "GraphBatchException"


@pytest.mark.sandbox_only("what the gateway itself does not do is null")
def test_what_depends_on_a_failure_fails_where_facebook_says_960(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    sandbox.batches(unfinished="error_960")
    batch = api.new_batch()
    add_child_of_a_failure(batch, callbacks=callbacks)
    assert batch.execute() is None
    assert callbacks.failures["child"].error().api_error_code() == 960
    assert callbacks.failures["child"].error().api_error_type() == "FacebookApiException"
    assert sandbox.set_names() == []


@pytest.mark.sandbox_only("a write whose outcome is unknown is never null")
def test_of_a_batch_that_times_out_something_may_have_been_done(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    sandbox.batches(timeout_seconds=1)
    sandbox.trouble("slow", path="/asyncadrequestsets$", seconds=1.1, effect="before")
    batch = api.new_batch()
    for name in ("first", "second"):
        batch.add("POST", SETS_PATH, params=new_set(name), **callbacks.of(name))
    retry = batch.execute()
    assert len(retry) == 2
    assert sandbox.set_names() == ["first"]
    sandbox.batches()
    assert retry.execute() is None
    assert callbacks.successes.keys() == {"first", "second"}
    assert sandbox.set_names() == ["first", "first", "second"]


def test_a_dependence_on_nobody_fails_the_whole_batch(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    batch = api.new_batch()
    batch.add("POST", SETS_PATH, params=new_set("first"), **callbacks.of("first"))
    batch.add("GET", ("act_1",), **callbacks.of("second"))["depends_on"] = "nobody"
    with pytest.raises(FacebookRequestError, match="nobody") as raised:
        batch.execute()
    assert raised.value.api_error_type() == "GraphBatchException"
    assert sandbox.set_names() == []


@pytest.mark.sandbox_only("a write whose outcome is unknown is never null")
def test_an_operation_that_was_done_may_be_null_and_is_done_again(
    api: Any, callbacks: Callbacks, sandbox: SandboxControl
) -> None:
    sandbox.trouble("null", method="POST", path="/asyncadrequestsets$")
    batch = api.new_batch()
    batch.add("POST", SETS_PATH, params=new_set("one"), **callbacks.of("one"))
    batch.add("GET", ("act_1",), **callbacks.of("account"))
    retry = batch.execute()
    assert callbacks.successes.keys() == {"account"}
    assert len(retry) == 1
    assert retry.execute() is None
    assert sandbox.set_names() == ["one", "one"]
