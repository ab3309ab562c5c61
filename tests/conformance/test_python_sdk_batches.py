"""The official Python SDK sends sync batches: many operations at once, each with its callbacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import ad_spec
from tests.support.sandbox import SandboxControl
from tests.support.sdk import Callbacks, ids

SETS_PATH = ("act_1", "asyncadrequestsets")


def new_set(name: str) -> dict[str, Any]:
    return {"name": name, "ad_specs": [ad_spec(f"ad of {name}")]}


def create_sets(account: Any, *, count: int) -> list[Any]:
    return [account.create_async_ad_request_set(params=new_set(f"set {n}")) for n in range(count)]


def test_every_operation_of_a_batch_calls_back(
    api: Any, account: Any, callbacks: Callbacks
) -> None:
    sets = create_sets(account, count=3)
    batch = api.new_batch()
    for each in sets:
        each.api_get(fields=["name"], batch=batch, **callbacks.of(each["id"]))
    assert len(batch) == 3
    assert batch.execute() is None
    names = [callbacks.successes[each["id"]].json()["name"] for each in sets]
    assert names == ["set 0", "set 1", "set 2"]
    assert not callbacks.failures


def test_one_bad_operation_does_not_stop_the_others(
    api: Any, account: Any, callbacks: Callbacks
) -> None:
    batch = api.new_batch()
    missing = AdAsyncRequestSet("9" * 18, api=api)
    account.create_async_ad_request_set(
        params=new_set("before"), batch=batch, **callbacks.of("before")
    )
    missing.api_get(batch=batch, **callbacks.of("missing"))
    account.create_async_ad_request_set(
        params=new_set("after"), batch=batch, **callbacks.of("after")
    )
    assert batch.execute() is None
    assert callbacks.successes.keys() == {"before", "after"}
    error = callbacks.failures["missing"].error()
    assert isinstance(error, FacebookRequestError)
    assert (error.api_error_code(), error.api_error_subcode()) == (100, 33)
    assert error.http_status() == 400


def test_what_an_operation_made_is_given_to_its_callback(
    api: Any, account: Any, callbacks: Callbacks
) -> None:
    batch = api.new_batch()
    account.create_async_ad_request_set(
        params=new_set("umlaut ü, & % + and /"), batch=batch, **callbacks.of("made")
    )
    batch.execute()
    made = AdAsyncRequestSet(callbacks.successes["made"].json()["id"], api=api)
    assert made.api_get()["name"] == "umlaut ü, & % + and /"


def test_fifty_operations_are_one_batch(api: Any, account: Any, sandbox: SandboxControl) -> None:
    batch = api.new_batch()
    for number in range(50):
        account.create_async_ad_request_set(params=new_set(f"set {number}"), batch=batch)
    assert batch.execute() is None
    assert sandbox.set_names() == [f"set {number}" for number in range(50)]


@pytest.mark.sandbox_only("a receiver takes more than fifty operations")
def test_more_than_fifty_operations_are_refused_as_a_whole(
    api: Any, account: Any, sandbox: SandboxControl, callbacks: Callbacks
) -> None:
    batch = api.new_batch()
    for number in range(51):
        account.create_async_ad_request_set(
            params=new_set("one"), batch=batch, **callbacks.of(str(number))
        )
    with pytest.raises(FacebookRequestError, match="50") as raised:
        batch.execute()
    assert raised.value.api_error_type() == "GraphBatchException"
    assert raised.value.http_status() == 400
    assert not callbacks.successes
    assert not callbacks.failures
    assert sandbox.set_names() == []


def test_a_batch_without_operations_calls_nobody(api: Any, sandbox: SandboxControl) -> None:
    assert api.new_batch().execute() is None
    assert sandbox.calls()["totals"]["calls"] == 0


def test_an_operation_is_updated_and_deleted_by_its_own_parameters(
    api: Any, account: Any, sandbox: SandboxControl, callbacks: Callbacks
) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    renamed, cancelled = create_sets(account, count=2)
    batch = api.new_batch()
    renamed.api_update(params={"name": "New Name"}, batch=batch, **callbacks.of("renamed"))
    cancelled.api_delete(batch=batch, **callbacks.of("cancelled"))
    assert batch.execute() is None
    assert callbacks.successes["renamed"].json() == {"success": True}
    assert callbacks.successes["cancelled"].json() == {"success": True}
    assert renamed.api_get()["name"] == "New Name"
    assert cancelled.api_get(fields=["canceled_count"])["canceled_count"] == 1


def test_a_delete_takes_its_parameters_from_the_body(
    api: Any, account: Any, callbacks: Callbacks, picture: Path
) -> None:
    image_hash = account.create_ad_image(params={"filename": str(picture)})["hash"]
    batch = api.new_batch()
    account.delete_ad_images(params={"hash": image_hash}, batch=batch, **callbacks.of("image"))
    assert batch._batch[0]["body"] == f"hash={image_hash}"
    assert batch.execute() is None
    assert callbacks.successes["image"].json() == {"success": True}
    assert list(account.get_ad_images()) == []


def test_an_edge_in_a_batch_answers_its_first_page(
    api: Any, account: Any, callbacks: Callbacks
) -> None:
    sets = create_sets(account, count=3)
    batch = api.new_batch()
    account.get_async_ad_request_sets(
        fields=["name"], params={"limit": 2}, batch=batch, **callbacks.of("page")
    )
    batch.execute()
    page = callbacks.successes["page"].json()
    assert [each["id"] for each in page["data"]] == ids(sets)[:0:-1]
    assert "after" in page["paging"]["cursors"]


def test_an_error_without_a_callback_is_not_seen_at_all(api: Any) -> None:
    batch = api.new_batch()
    AdAsyncRequestSet("9" * 18, api=api).api_get(batch=batch)
    assert batch.execute() is None


def test_the_headers_of_an_operation_are_a_list(api: Any, callbacks: Callbacks) -> None:
    batch = api.new_batch()
    batch.add("GET", ("act_1",), **callbacks.of("account"))
    batch.execute()
    headers = {each["name"]: each["value"] for each in callbacks.successes["account"].headers()}
    assert headers["ETag"].startswith('"')
    assert json.loads(headers["X-Ad-Account-Usage"])


def test_an_operation_that_has_not_changed_answers_304(api: Any, callbacks: Callbacks) -> None:
    tag = api.call("GET", ("act_1",)).etag()
    batch = api.new_batch()
    batch.add("GET", ("act_1",), headers={"If-None-Match": tag}, **callbacks.of("account"))
    assert batch.execute() is None
    response = callbacks.successes["account"]
    assert (response.status(), response.body()) == (304, None)


def test_a_file_goes_along_with_its_operation(
    api: Any, account: Any, callbacks: Callbacks, picture: Path
) -> None:
    batch = api.new_batch()
    with picture.open("rb") as file:
        batch.add("POST", ("act_1", "adimages"), files={"test1": file}, **callbacks.of("image"))
        assert batch.execute() is None
    ((uploaded,),) = (callbacks.successes["image"].json()["images"].values(),)
    assert [each["hash"] for each in account.get_ad_images(fields=["hash"])] == [uploaded["hash"]]


def test_each_operation_counts_as_a_call(api: Any, account: Any, sandbox: SandboxControl) -> None:
    batch = api.new_batch()
    for _ in range(10):
        account.api_get(batch=batch)
    batch.execute()
    paths = [call["path"] for call in sandbox.calls()["calls"]]
    assert paths.count("/act_1") == 10
