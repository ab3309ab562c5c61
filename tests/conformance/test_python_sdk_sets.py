"""The official Python SDK makes, reads, changes and cancels async request sets."""

from __future__ import annotations

from typing import Any

import pytest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import ad_spec
from tests.support.sandbox import SandboxControl, listening
from tests.support.sdk import ids

COUNTS = ["initial_count", "in_progress_count", "success_count", "error_count", "canceled_count"]
PROCESSED = "Only a request that is not processed yet can be canceled"


def create(account: Any, *, count: int = 1, **params: Any) -> Any:
    """Create a set; the last of its ads will not be made if there are several."""
    specs = [ad_spec(f"ad {number}") for number in range(count)]
    if count > 1:
        specs[-1] = ad_spec("will fail")
    return account.create_async_ad_request_set(params={"name": "demo", "ad_specs": specs, **params})


@pytest.fixture
def by_hand(sandbox: SandboxControl) -> SandboxControl:
    """A sandbox that processes nothing of account 1 unless told to."""
    sandbox.configure("1", progress={"kind": "by_hand"})
    return sandbox


def test_a_set_is_polled_until_it_is_complete(account: Any, sandbox: SandboxControl) -> None:
    sandbox.configure("1", progress={"kind": "after_reads", "reads": 3})
    request_set = create(account, count=60)
    polls = 0
    while not request_set.get("is_completed"):
        request_set.api_get(fields=["is_completed", "total_count", "success_count", "error_count"])
        polls += 1
    assert polls == 3
    assert isinstance(request_set, AdAsyncRequestSet)
    assert (request_set["total_count"], request_set["success_count"]) == (60, 59)
    assert request_set["error_count"] == 1


def test_a_create_answers_the_id_alone(account: Any) -> None:
    assert create(account).export_all_data().keys() == {"id"}


def test_a_create_that_names_fields_answers_them(account: Any) -> None:
    request_set = account.create_async_ad_request_set(
        fields=["name", "total_count"], params={"name": "demo", "ad_specs": [ad_spec("one")]}
    )
    assert (request_set["name"], request_set["total_count"]) == ("demo", 1)


def test_a_set_shows_its_default_fields_unasked(account: Any) -> None:
    request_set = create(account).api_get()
    shown = request_set.export_all_data()
    assert shown == {
        "id": request_set["id"],
        "owner_id": "1",
        "name": "demo",
        "is_completed": True,
    }


def test_every_field_of_a_set_has_the_type_that_the_sdk_expects(account: Any) -> None:
    with listening() as listener:
        uri = f"{listener.url}/hook"
        request_set = create(
            account, count=2, notification_mode="ON_COMPLETE", notification_uri=uri
        )
        listener.wait_for(1)
    only_written = {"ad_specs", "creative_spec"}
    fields = [
        value
        for name, value in vars(AdAsyncRequestSet.Field).items()
        if not name.startswith("_") and value not in only_written
    ]
    request_set.api_get(fields=fields)
    assert all(type(request_set[name]) is int for name in ["total_count", *COUNTS])
    assert sum(request_set[name] for name in COUNTS) == request_set["total_count"] == 2
    assert request_set["notification_mode"] == AdAsyncRequestSet.NotificationMode.on_complete
    assert request_set["notification_uri"] == uri
    texts = ["id", "owner_id", "notification_status", "created_time", "updated_time"]
    assert all(type(request_set[name]) is str for name in texts)


@pytest.mark.sandbox_only(
    "notification_status and _result are those of the own delivery, which comes a moment later"
)
def test_the_result_of_a_notification_is_an_object_of_the_sdk(
    account: Any, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", notification={"kind": "error"})
    request_set = create(
        account, notification_mode="ON_COMPLETE", notification_uri="http://127.0.0.1:9/hook"
    )
    request_set.api_get(fields=["notification_result", "notification_status"])
    assert request_set["notification_status"] == "SENT"
    assert request_set["notification_result"]["status"] == "503"
    assert (
        type(request_set["notification_result"]).__name__ == "AdAsyncRequestSetNotificationResult"
    )


def test_an_account_lists_its_sets(account: Any) -> None:
    made = [create(account)["id"] for _ in range(3)]
    assert ids(account.get_async_ad_request_sets()) == made[::-1]


def test_sets_are_filtered_by_whether_they_are_complete(
    account: Any, by_hand: SandboxControl
) -> None:
    done, waiting = create(account)["id"], create(account)["id"]
    by_hand.complete(done)
    list_sets = account.get_async_ad_request_sets
    assert ids(list_sets(params={"is_completed": True})) == [done]
    assert ids(list_sets(params={"is_completed": False})) == [waiting]


def test_a_list_of_more_than_25_sets_comes_page_by_page(account: Any) -> None:
    made = [create(account)["id"] for _ in range(30)]
    cursor = account.get_async_ad_request_sets(fields=["name", "total_count"])
    assert (len(cursor), cursor.total()) == (25, 30)
    sets = list(cursor)
    assert ids(sets) == made[::-1]
    assert {(each["name"], each["total_count"]) for each in sets} == {("demo", 1)}


def test_filtered_pages_hold_what_is_left_of_the_list(
    account: Any, by_hand: SandboxControl
) -> None:
    made = [create(account)["id"] for _ in range(9)]
    for set_id in made[::2]:
        by_hand.complete(set_id)
    cursor = account.get_async_ad_request_sets(params={"is_completed": True, "limit": 2})
    assert cursor.total() == 5
    assert ids(cursor) == made[::2][::-1]


def test_a_set_is_renamed(account: Any) -> None:
    request_set = create(account)
    request_set.api_update(params={"name": "New Name"})
    assert request_set.api_get(fields=["name"])["name"] == "New Name"


def test_a_notification_is_changed_before_it_is_sent(account: Any, by_hand: SandboxControl) -> None:
    request_set = create(account)
    with listening() as listener:
        uri = f"{listener.url}/hook"
        request_set.api_update(params={"notification_mode": "ON_COMPLETE", "notification_uri": uri})
        by_hand.complete(request_set["id"])
        assert listener.wait_for(1)[0].target == "/hook"


def test_a_notification_that_was_sent_cannot_be_changed(account: Any) -> None:
    with listening() as listener:
        uri = f"{listener.url}/hook"
        request_set = create(account, notification_mode="ON_COMPLETE", notification_uri=uri)
        listener.wait_for(1)
    with pytest.raises(FacebookRequestError) as raised:
        request_set.api_update(params={"notification_mode": "OFF"})
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)


def test_what_is_not_processed_of_a_set_is_cancelled(account: Any, by_hand: SandboxControl) -> None:
    request_set = create(account, count=3)
    by_hand.advance(request_set["id"], requests=1)
    request_set.api_delete()
    counts = ["success_count", "in_progress_count", "canceled_count"]
    request_set.api_get(fields=counts)
    assert [request_set[name] for name in counts] == [1, 1, 1]


@pytest.mark.usefixtures("by_hand")
def test_a_set_is_complete_when_all_of_it_is_cancelled(account: Any) -> None:
    request_set = create(account, count=3)
    request_set.api_delete()
    request_set.api_get(fields=["is_completed", "canceled_count"])
    assert (request_set["is_completed"], request_set["canceled_count"]) == (True, 3)


def test_a_set_that_is_complete_cannot_be_cancelled(account: Any) -> None:
    request_set = create(account)
    with pytest.raises(FacebookRequestError, match=PROCESSED) as raised:
        request_set.api_delete()
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)


def test_the_fields_of_an_edge_come_inside_its_set(account: Any) -> None:
    request_set = create(account, count=3)
    request_set.api_get(params={"fields": "name,requests.limit(2){id,status}"})
    assert [each["status"] for each in request_set["requests"]["data"]] == ["SUCCESS", "SUCCESS"]


def test_a_creative_is_made_asynchronously(account: Any) -> None:
    story = {"page_id": "9", "link_data": {"link": "https://www.test12345.com", "message": "hello"}}
    request_set = account.create_async_ad_creative(
        params={
            "name": "creatives",
            "creative_spec": {"name": "one", "object_story_spec": story},
            "notification_mode": "OFF",
        }
    )
    (request,) = request_set.get_requests(fields=["status", "result"])
    assert request["status"] == "SUCCESS"
    assert request["result"]["id"].isdigit()


def test_an_account_lists_the_sets_of_its_creatives(account: Any, by_hand: SandboxControl) -> None:
    def create_creative(name: str) -> str:
        params = {"name": name, "creative_spec": {"name": name, "object_story_id": "9_1"}}
        set_id: str = account.create_async_ad_creative(params=params)["id"]
        return set_id

    done, waiting = create_creative("one"), create_creative("two")
    by_hand.complete(done)
    list_sets = account.get_async_ad_creatives
    assert ids(list_sets()) == [waiting, done]
    assert ids(list_sets(params={"is_completed": True})) == [done]
    assert ids(list_sets(params={"is_completed": False})) == [waiting]
