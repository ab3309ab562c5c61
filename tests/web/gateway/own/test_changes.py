"""What a caller changes of its set, and what it cancels."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from receiver.store.models import Delivery, Request
from tests.support.house import House, ad
from tests.support.sandbox import listening

HOOK = {"notification_uri": "https://caller.example/hook?a=1", "notification_mode": "ON_COMPLETE"}


def open_set(house: House, **parameters: Any) -> str:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    return house.create_open([ad("one"), ad("two"), ad("three")], **parameters)


def post(house: House, path: str, **data: Any) -> TestResponse:
    return house.client.post(path, data={"access_token": house.key, **data})


def delete(house: House, path: str) -> TestResponse:
    return house.client.delete(path, headers={"Authorization": f"Bearer {house.key}"})


def at_facebook(house: House) -> dict[str, Any]:
    (entry,) = house.sandbox.ledger()
    return entry


def test_a_new_name_keeps_our_tag_at_facebook_and_is_the_callers_own_here(house: House) -> None:
    set_id = open_set(house)
    before = at_facebook(house)["name"]
    assert post(house, f"/{set_id}", name="new").get_json() == {"success": True}
    assert at_facebook(house)["name"] == before.replace("A set", "new")
    assert house.get(f"/{set_id}").get_json()["name"] == "new"


def test_uri_and_mode_are_the_callers_view_and_never_reach_facebook(house: House) -> None:
    set_id = open_set(house)
    ours = at_facebook(house)["notification_uri"]
    calls = len(house.sandbox.calls()["calls"])
    assert post(house, f"/{set_id}", **HOOK).get_json() == {"success": True}
    shown = house.get(f"/{set_id}", fields=",".join(HOOK)).get_json()
    assert shown == {**HOOK, "id": set_id}
    assert at_facebook(house)["notification_uri"] == ours
    posts = [each for each in house.sandbox.calls()["calls"][calls:] if each["method"] == "POST"]
    assert posts == []


def test_a_mode_that_notifies_needs_a_uri(house: House) -> None:
    error = post(house, f"/{open_set(house)}", notification_mode="1").get_json()["error"]
    assert (error["code"], error["error_data"]) == (
        100,
        {"blame_field_specs": [["notification_uri"]]},
    )


def test_a_notification_may_not_change_once_it_was_sent_but_the_name_may(house: House) -> None:
    set_id = open_set(house, **HOOK)
    house.sandbox.complete(set_id)
    house.notify()
    house.work()
    house.deliver()
    response = post(house, f"/{set_id}", notification_mode="OFF")
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 100)
    assert post(house, f"/{set_id}", name="late").status_code == 200


def test_a_notification_that_is_not_sent_yet_follows_the_new_uri(house: House) -> None:
    set_id = open_set(house, **HOOK)
    house.sandbox.complete(set_id)
    house.notify()
    house.work()
    assert post(house, f"/{set_id}", notification_uri="https://other.example/").status_code == 200
    assert [row.uri for row in house.rows(Delivery)] == ["https://other.example/"]
    assert post(house, f"/{set_id}", notification_mode="OFF").status_code == 200
    assert house.rows(Delivery) == []


def test_a_collected_set_that_is_to_notify_after_all_notifies(house: House) -> None:
    house.set_private_addresses(allowed=True)
    set_id = house.create_open()
    house.notify()
    house.work()
    with listening() as listener:
        assert (
            post(house, f"/{set_id}", **{**HOOK, "notification_uri": listener.url}).status_code
            == 200
        )
        house.deliver()
        assert listener.wait_for(1)[0].body == f"id={set_id}".encode()


def test_what_is_not_processed_of_a_set_is_canceled(house: House) -> None:
    set_id = open_set(house)
    assert delete(house, f"/{set_id}").get_json() == {"success": True}
    shown = house.get(f"/{set_id}", fields="is_completed,canceled_count").get_json()
    assert shown == {"is_completed": True, "canceled_count": 3, "id": set_id}


def test_one_request_is_canceled_and_only_once(house: House) -> None:
    set_id = open_set(house)
    request_id = house.get(f"/{set_id}/requests").get_json()["data"][1]["id"]
    assert delete(house, f"/{request_id}").get_json() == {"success": True}
    assert (
        house.get(f"/{request_id}").get_json()["status"].startswith(("CANCELED", "USER_CANCELED"))
    )
    again = delete(house, f"/{request_id}")
    assert (again.status_code, again.get_json()["error"]["code"]) == (400, 100)


def test_a_post_may_say_delete(house: House) -> None:
    set_id = open_set(house)
    assert post(house, f"/{set_id}/", method="delete").get_json() == {"success": True}
    assert {row.status for row in house.rows(Request)} <= {"CANCELED", "USER_CANCELED"}


@pytest.mark.parametrize("kind", ["http_error", "commit_then_drop"])
def test_a_cancel_without_an_answer_may_be_repeated(house: House, kind: str) -> None:
    set_id = open_set(house)
    house.sandbox.trouble(kind, method="DELETE")
    error = delete(house, f"/{set_id}").get_json()["error"]
    assert (error["code"], error["is_transient"]) in ((2, True), (None, False), (1, False))
    delete(house, f"/{set_id}")
    house.work()
    assert house.get(f"/{set_id}").get_json()["is_completed"] is True


def test_a_rename_that_facebook_refuses_changes_nothing(house: House) -> None:
    set_id = open_set(house)
    house.sandbox.trouble("graph_error", method="POST", code=100)
    assert post(house, f"/{set_id}", name="new").get_json()["error"]["code"] == 100
    assert house.get(f"/{set_id}").get_json()["name"] == "A set"


def test_a_key_that_may_only_read_changes_nothing(house: House) -> None:
    set_id = open_set(house)
    house.make_key_read_only()
    for response in (
        post(house, f"/{set_id}", name="new"),
        post(house, f"/{set_id}", method="DELETE"),
        delete(house, f"/{set_id}"),
        house.create(),
    ):
        assert (response.status_code, response.get_json()["error"]["code"]) == (403, 200)
    assert house.get(f"/{set_id}").get_json()["name"] == "A set"
    assert len(house.sandbox.ledger()) == 1
