"""The official Python SDK reads and cancels the requests of sets, page by page where need be."""

from __future__ import annotations

from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adasyncrequest import AdAsyncRequest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.adobjects.adset import AdSet
from facebook_business.exceptions import (
    FacebookRequestError,
    FacebookUnavailablePropertyException,
)

from tests.conformance.page import AD_SET, ad_spec
from tests.support.sandbox import SandboxControl
from tests.support.sdk import ids


def create(api: Any, *, names: list[str]) -> Any:
    specs = [ad_spec(name) for name in names]
    return AdAccount("act_1", api=api).create_async_ad_request_set(
        params={"name": "demo", "ad_specs": specs}
    )


@pytest.fixture
def sixty(api: Any) -> Any:
    """A complete set of 60 requests; the last one has failed."""
    return create(api, names=[f"ad {number}" for number in range(59)] + ["will fail"])


def test_sixty_requests_come_in_three_pages(sixty: Any) -> None:
    cursor = sixty.get_requests(fields=["id", "status"])
    sizes = [len(cursor)]
    while cursor.load_next_page():
        sizes.append(len(cursor))
    assert sizes == [25, 25, 10]
    assert cursor.total() == 60


def test_all_requests_are_iterated_once_and_in_their_order(sixty: Any) -> None:
    requests = list(sixty.get_requests(fields=["id", "input", "status"]))
    names = [request["input"]["adgroup_spec"]["name"] for request in requests]
    assert names == [f"ad {number}" for number in range(59)] + ["will fail"]
    assert len(set(ids(requests))) == 60


@pytest.mark.parametrize(("limit", "first_page"), [(1, 1), (10, 10), (59, 59), (60, 60), (500, 60)])
def test_a_page_is_as_long_as_its_limit(sixty: Any, limit: int, first_page: int) -> None:
    cursor = sixty.get_requests(params={"limit": limit})
    assert len(cursor) == first_page
    assert len(list(cursor)) == 60


def test_the_summary_counts_what_the_filter_keeps(sixty: Any) -> None:
    cursor = sixty.get_requests(params={"statuses": ["SUCCESS"], "limit": 10})
    assert cursor.total() == 59
    assert '"total_count": 59' in cursor.summary()
    assert len(list(cursor)) == 59


def test_a_list_without_a_summary_has_no_total(sixty: Any) -> None:
    cursor = sixty.get_requests(params={"summary": False})
    with pytest.raises(FacebookUnavailablePropertyException):
        cursor.total()


def test_one_of_a_list_is_its_first(sixty: Any) -> None:
    every = ids(sixty.get_requests())
    assert sixty.get_requests(params={"limit": 1}).get_one()["id"] == every[0]
    edge = {"target_objects_class": AdAsyncRequest, "endpoint": "requests"}
    assert sixty.edge_object(**edge)["id"] == every[0]
    assert ids(sixty.iterate_edge(**edge)) == every


def test_a_list_that_is_empty_ends_at_once(sixty: Any) -> None:
    cursor = sixty.get_requests(params={"statuses": ["CANCELED"]})
    assert (list(cursor), cursor.total()) == ([], 0)
    assert cursor.load_next_page() is False


@pytest.mark.parametrize(
    ("statuses", "count"),
    [
        (["SUCCESS"], 59),
        (["ERROR"], 1),
        (["SUCCESS", "ERROR"], 60),
        (["INITIAL", "IN_PROGRESS"], 0),
        (["ERROR_DEPENDENCY", "USER_CANCELED", "ERROR"], 1),
    ],
    ids=["success", "error", "both", "open", "rare"],
)
def test_requests_are_filtered_by_a_list_of_statuses(
    sixty: Any, statuses: list[str], count: int
) -> None:
    requests = list(sixty.get_requests(fields=["status"], params={"statuses": statuses}))
    assert len(requests) == count
    assert {request["status"] for request in requests} <= set(statuses)


def test_a_request_that_succeeded_names_its_ad(sixty: Any) -> None:
    request = sixty.get_requests(fields=["result"]).get_one()
    assert isinstance(request, AdAsyncRequest)
    assert request["result"].keys() == {"id"}
    assert request["result"]["id"].isdigit()


def test_a_request_that_failed_names_its_error(sixty: Any) -> None:
    failed = sixty.get_requests(fields=["result"], params={"statuses": ["ERROR"]}).get_one()
    assert failed["result"].keys() == {"error_code", "error_message"}
    assert type(failed["result"]["error_code"]) is int


def test_every_field_of_a_request_has_the_type_that_the_sdk_expects(api: Any, sixty: Any) -> None:
    found = sixty.get_requests().get_one()
    fields = [v for k, v in vars(AdAsyncRequest.Field).items() if not k.startswith("_")]
    request = AdAsyncRequest(found["id"], api=api).api_get(fields=fields)
    texts = ["id", "scope_object_id", "status", "type", "created_time", "updated_time"]
    assert all(type(request[name]) is str for name in texts)
    assert request["scope_object_id"] == AD_SET
    assert request["input"]["account_id"] == 1
    assert isinstance(request["async_request_set"], AdAsyncRequestSet)
    assert request["async_request_set"]["id"] == sixty["id"]


def test_a_request_shows_its_default_fields_unasked(api: Any, sixty: Any) -> None:
    found = sixty.get_requests().get_one()
    read = AdAsyncRequest(found["id"], api=api).api_get()
    assert found.export_all_data() == read.export_all_data()
    assert read.export_all_data() == {
        "id": found["id"],
        "scope_object_id": AD_SET,
        "status": "SUCCESS",
    }


def test_a_request_that_is_not_processed_is_cancelled(api: Any, sandbox: SandboxControl) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    request_set = create(api, names=["one", "two"])
    first, second = request_set.get_requests()
    AdAsyncRequest(first["id"], api=api).api_delete()
    assert "CANCELED" in first.api_get(fields=["status"])["status"]
    assert second.api_get(fields=["status"])["status"] == "INITIAL"


def test_a_request_that_is_processed_cannot_be_cancelled(sixty: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        sixty.get_requests().get_one().api_delete()
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)


def test_an_ad_set_lists_the_requests_for_its_ads(api: Any) -> None:
    specs = [ad_spec("here"), ad_spec("there", adset_id="6008248529790"), ad_spec("will fail")]
    first = AdAccount("act_1", api=api).create_async_ad_request_set(
        params={"name": "one", "ad_specs": specs}
    )
    second = create(api, names=["later"])
    here = [request["id"] for request in first.get_requests()][::2]
    ad_set = AdSet(AD_SET, api=api)
    assert ids(ad_set.get_async_ad_requests()) == [*here, *ids(second.get_requests())]
    failed = ad_set.get_async_ad_requests(fields=["status"], params={"statuses": ["ERROR"]})
    assert ids(failed) == here[1:]


def test_the_requests_of_an_ad_set_come_page_by_page(api: Any, sixty: Any) -> None:
    cursor = AdSet(AD_SET, api=api).get_async_ad_requests(fields=["scope_object_id"])
    assert (len(cursor), cursor.total()) == (25, 60)
    requests = list(cursor)
    assert ids(requests) == ids(sixty.get_requests())
    assert {request["scope_object_id"] for request in requests} == {AD_SET}
