"""A set and its requests, read by their ids."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from receiver.store import intents
from receiver.store.models import Look
from receiver.web.readers import PATIENCE_SECONDS
from tests.support.house import ACCOUNT, House, ad


def open_set(house: House, *, ads: int = 2) -> str:
    """Create a set that is worked off by hand, and return its id."""
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    return house.create_open([ad(str(number)) for number in range(ads)])


def calls(house: House) -> int:
    return len(house.sandbox.calls()["calls"])


def test_a_set_is_read_by_its_path_by_id_and_by_ids(house: House) -> None:
    set_id = open_set(house)
    expected = house.get(f"/v21.0/{set_id}").get_json()
    assert house.get("/v21.0/", id=set_id).get_json() == expected
    assert house.get("/v21.0//", ids=set_id).get_json() == {set_id: expected}


def test_several_sets_and_requests_are_read_at_once_in_the_order_asked_for(house: House) -> None:
    first, second = open_set(house), open_set(house)
    request_id = house.get(f"/{first}/requests").get_json()["data"][0]["id"]
    shown = house.get("/", ids=f"{second},{request_id},{first}").get_json()
    assert list(shown) == [second, request_id, first]
    assert shown[request_id]["status"] == "INITIAL"


def test_the_requests_of_several_sets_are_read_at_once(house: House) -> None:
    first, second = open_set(house), open_set(house, ads=3)
    shown = house.get("/requests", ids=f"{first},{second}", limit="1").get_json()
    assert [len(shown[each]["data"]) for each in (first, second)] == [1, 1]
    assert f"/{second}/requests?" in shown[second]["paging"]["next"]


def test_ours_and_others_are_read_at_once(house: House) -> None:
    ours = open_set(house)
    house.sandbox.old_sets(str(ACCOUNT), count=1)
    path = f"/act_{ACCOUNT}/asyncadrequestsets"
    sets = house.get(path, fields="name").get_json()["data"]
    (theirs,) = [each["id"] for each in sets if each["name"] == "old set 1"]
    response = house.get("/", ids=f"{theirs},{ours}", fields="name")
    assert response.get_json() == {
        theirs: {"name": "old set 1", "id": theirs},
        ours: {"name": "A set", "id": ours},
    }
    assert response.headers["X-Receiver-Source"] == "graph"


def test_one_that_does_not_exist_fails_all(house: House) -> None:
    response = house.get("/", ids=f"{open_set(house)},{'9' * 18}")
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 803)


def test_the_requests_of_a_set_are_there_as_soon_as_it_is(house: House) -> None:
    set_id = open_set(house)
    page = house.get(f"/{set_id}/requests", summary="true").get_json()
    assert [each["status"] for each in page["data"]] == ["INITIAL", "INITIAL"]
    assert page["summary"] == {"total_count": 2}


def test_fields_expand_into_requests_and_back_into_their_set(house: House) -> None:
    set_id = open_set(house)
    fields = "name,requests.limit(1){status,async_request_set{name,total_count}}"
    shown = house.get(f"/{set_id}", fields=fields).get_json()
    (request,) = shown["requests"]["data"]
    assert request["async_request_set"] == {"name": "A set", "total_count": 2, "id": set_id}
    after = house.get(shown["requests"]["paging"]["next"].removeprefix("http://receiver.test"))
    assert len(after.get_json()["data"]) == 1


@pytest.mark.parametrize(
    "fields", ["nonsense", "requests{nonsense}", "name.limit(1)", "requests{async_request_set{x}}"]
)
def test_a_field_that_does_not_exist_is_named(house: House, fields: str) -> None:
    error = house.get(f"/{open_set(house)}", fields=fields).get_json()["error"]
    assert error["code"] == 100
    assert error["error_data"] == {"blame_field_specs": [["fields"]]}


def test_what_is_known_is_not_asked_for_again_before_its_time(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    before = calls(house)
    for _ in range(3):
        response = house.get(f"/{set_id}/requests")
        house.get(f"/{set_id}")
    assert calls(house) == before
    assert response.headers["X-Receiver-Source"] == "store"


def test_an_open_set_is_looked_at_again_once_its_time_is_over(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.sandbox.complete(set_id)
    assert house.get(f"/{set_id}").get_json()["is_completed"] is False
    house.clock.move(5)
    response = house.get(f"/{set_id}")
    assert response.get_json()["is_completed"] is True
    assert response.headers["Age"] == "0"
    assert {look.why for look in house.rows(Look)} == {"read"}


def test_a_collected_set_is_never_asked_for_again(house: House) -> None:
    set_id = house.create_open()
    house.notify()
    house.work()
    before = calls(house)
    house.clock.move(1000)
    response = house.get(f"/{set_id}", fields="requests{status},is_completed")
    assert response.get_json()["is_completed"] is True
    assert response.headers["Age"] == "1000"
    assert calls(house) == before


def test_of_many_readers_at_once_one_looks(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.clock.move(5)
    house.sandbox.latency(300)
    before = calls(house)
    readers = [threading.Thread(target=house.get, args=(f"/{set_id}",)) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert calls(house) - before == 1


def test_nobody_waits_long_for_a_slow_facebook(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.clock.move(5)
    house.sandbox.trouble("hold", method="GET", path=set_id)
    house.let_callers_wait(PATIENCE_SECONDS)
    began = time.monotonic()
    response = house.get(f"/{set_id}")
    assert response.get_json()["is_completed"] is False
    assert PATIENCE_SECONDS <= time.monotonic() - began < 10
    house.let_callers_wait(30)
    began = time.monotonic()
    house.get(f"/{set_id}")  # somebody looks already
    assert time.monotonic() - began < 10
    assert house.sandbox.release() == 1


def test_a_look_that_fails_leaves_what_is_known(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.clock.move(5)
    house.sandbox.trouble("http_error", method="GET", count=None)
    response = house.get(f"/{set_id}", fields="total_count")
    assert response.get_json() == {"total_count": 2, "id": set_id}
    assert response.headers["Age"] == "5"


def test_an_account_that_waits_is_not_asked(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.clock.move(5)
    house.sandbox.trouble("graph_error", code=17, method="GET")
    house.get(f"/{set_id}")
    house.clock.move(10)
    before = calls(house)
    assert house.get(f"/{set_id}").status_code == 200
    assert calls(house) == before


def test_a_reader_does_not_put_off_the_worker(house: House) -> None:
    set_id = open_set(house)
    for _ in range(10):
        house.clock.move(5)
        house.get(f"/{set_id}")
    due = house.the_set().look_at
    assert due is not None
    assert (due - house.clock()).total_seconds() <= 15


def test_a_hint_that_comes_while_a_reader_looks_makes_the_set_due(house: House) -> None:
    set_id = open_set(house)
    house.get(f"/{set_id}/requests")
    house.clock.move(5)
    house.sandbox.latency(300)
    reader = threading.Thread(target=house.get, args=(f"/{set_id}",))
    reader.start()
    house.sandbox.complete(set_id)
    house.notify(set_id)
    reader.join()
    house.sandbox.latency(0)
    house.work()
    assert house.the_set().state == intents.COLLECTED


def test_one_request_is_read_and_shows_what_became_of_it(house: House) -> None:
    set_id = open_set(house)
    request_id = house.get(f"/{set_id}/requests").get_json()["data"][0]["id"]
    house.sandbox.complete(set_id)
    house.clock.move(5)
    shown: dict[str, Any] = house.get(f"/{request_id}", fields="status,result").get_json()
    assert shown["status"] == "SUCCESS"
    assert shown["result"]["id"].isdigit()


def test_an_answer_that_its_reader_has_is_not_sent_again(house: House) -> None:
    set_id = open_set(house)
    key = {"Authorization": f"Bearer {house.key}"}
    tag = house.get(f"/{set_id}").headers["ETag"]
    again = house.client.get(f"/{set_id}", headers={**key, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    house.client.post(f"/{set_id}", data={"name": "other"}, headers=key)
    changed = house.client.get(f"/{set_id}", headers={**key, "If-None-Match": tag})
    assert changed.get_json()["name"] == "other"
