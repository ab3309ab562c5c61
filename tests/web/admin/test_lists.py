"""The admin API's lists: filters, pages, and who may see what."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from receiver.store import intents
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from tests.support.house import ACCOUNT, House, ad, add_account

LISTS = [
    "/admin/api/request-sets",
    "/admin/api/notifications",
    "/admin/api/looks",
]
AD_SET = "6008248529789"


def ids(house: House, path: str, **query: Any) -> list[str]:
    response = house.get(path, **query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.get_json()["data"]]


def with_sets(house: House, count: int) -> list[str]:
    return [house.create_open(name=f"Set {number}") for number in range(count)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", [*LISTS, "/admin/api/request-sets/1", "/admin/api/nothing"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic x"])
def test_without_a_key_nothing_is_shown(house: House, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    response = house.client.get(path, headers=headers)

    assert response.content_type == "application/problem+json"
    assert response.status_code == (404 if path.endswith("nothing") else 401)


def test_a_list_is_newest_first_and_paged_by_key(house: House) -> None:
    with_sets(house, 5)

    first = house.get("/admin/api/request-sets", limit=2).get_json()
    second = house.get("/admin/api/request-sets", limit=2, cursor=first["next_cursor"]).get_json()
    third = house.get("/admin/api/request-sets", limit=2, cursor=second["next_cursor"]).get_json()

    pages = [[row["name"] for row in page["data"]] for page in (first, second, third)]
    assert pages == [["Set 4", "Set 3"], ["Set 2", "Set 1"], ["Set 0"]]
    assert third["next_cursor"] is None


def test_sets_are_filtered_by_state_verdict_account_and_time(house: House) -> None:
    path = "/admin/api/request-sets"
    first, second = with_sets(house, 2)
    house.notify(first)
    house.work()
    house.clock.move(3600)
    with_sets(house, 1)
    moment = (house.clock() - timedelta(seconds=1)).isoformat()

    assert ids(house, path, state="collected") == ["1"]
    assert ids(house, path, state="open,collected") == ["3", "2", "1"]
    assert ids(house, path, verdict="delivered") == ["1"]
    assert ids(house, path, verdict="pending", state="open") == ["3", "2"]
    assert ids(house, path, since=moment) == ["3"]
    assert ids(house, path, until=moment) == ["2", "1"]
    assert ids(house, path, account=f"act_{ACCOUNT}") == ["3", "2", "1"]
    assert ids(house, path, account="5") == []
    assert second


def test_notifications_and_looks_are_filtered_by_set(house: House) -> None:
    first, second = with_sets(house, 2)
    house.notify(first)
    house.notify(second)
    house.work()

    assert ids(house, "/admin/api/notifications", request_set=2) == ["2"]
    looks = house.get("/admin/api/looks", request_set=1).get_json()["data"]
    assert {row["request_set_id"] for row in looks} == {"1"}
    assert [row["kind"] for row in looks] == ["requests", "set"]
    assert ids(house, "/admin/api/looks", verdict="delivered", request_set=1) != []
    assert ids(house, "/admin/api/looks", verdict="lost") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"colour": "red"}, "colour"),
        ({"state": "happy"}, "state"),
        ({"verdict": "happy"}, "verdict"),
        ({"account": "me"}, "account"),
        ({"account": "9" * 30}, "account"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"request_set": "x"}, "request_set"),
        ({"request_set": "9" * 30}, "request_set"),
        ({"cursor": "tampered"}, "cursor"),
    ],
)
def test_a_bad_filter_is_refused_in_words(
    house: House, path: str, query: dict[str, str], word: str
) -> None:
    response = house.get(path, **query)

    assert (response.status_code, response.content_type) == (400, "application/problem+json")
    assert word in response.get_json()["detail"]


def test_one_set_is_shown_with_its_submissions(house: House) -> None:
    set_id = house.create_open()

    shown = house.get("/admin/api/request-sets/1").get_json()

    assert (shown["facebook_id"], shown["state"]) == (set_id, "open")
    (submission,) = shown["submissions"]
    assert (submission["attempt"], submission["outcome"]) == (1, "open")


def test_a_set_that_is_not_there_is_a_problem(house: House) -> None:
    response = house.get("/admin/api/request-sets/9")

    assert (response.status_code, response.get_json()["status"]) == (404, 404)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written_here(house: House, method: str) -> None:
    response = house.client.open("/admin/api/request-sets", method=method)

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_a_key_sees_its_own_accounts_only(house: House) -> None:
    set_id = house.create_open()
    house.notify(set_id)
    house.work()
    house.key = add_account(house.parts, 5)

    assert [ids(house, path) for path in LISTS] == [[], [], []]
    assert house.get("/admin/api/request-sets/1").status_code == 404


def test_no_secret_is_shown(house: House) -> None:
    house.notify(house.create_open())
    house.work()

    shown = "".join(house.get(path).text for path in [*LISTS, "/admin/api/request-sets/1"])

    for secret in ("lease_token", "sealed", "EAAB", "notifications/", house.key):
        assert secret not in shown


def test_a_list_of_sets_is_narrowed_to_one_number(house: House) -> None:
    for _ in range(3):
        house.create_open()
    number = str(house.rows(RequestSet)[1].id)

    answer = house.get("/admin/api/request-sets", request_set=number).get_json()

    assert [row["id"] for row in answer["data"]] == [number]


@pytest.mark.parametrize(
    ("name", "moment"),
    [("since", "0001-01-01T00:00:00+14:00"), ("until", "9999-12-31T23:59:59-14:00")],
)
def test_a_moment_at_the_calendars_edge_is_refused_in_words(
    house: House, name: str, moment: str
) -> None:
    answer = house.get("/admin/api/looks", **{name: moment})

    assert answer.status_code == 400
    assert answer.get_json()["detail"] == f"{name}: lies outside of the calendar"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [str(2**63), "9" * 5000, "0", "-1", "x"], ids=len)
def test_a_number_that_no_set_can_have_is_not_found(house: House, number: str) -> None:
    answer = house.get(f"/admin/api/request-sets/{number}")

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_what_nobody_foresaw_is_a_problem_document(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("receiver.store.lists.messages.looks", fail)
    answer = house.get("/admin/api/looks")

    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_an_intent_shows_every_set_that_facebook_has_of_it(house: House) -> None:
    set_id = house.create_open()
    number = house.the_set().id
    with house.parts.database.writing() as session:
        attempt = Attempt(number, number=1)
        intents.keep_found(session, attempt, facebook_id=8, now=house.clock())

    shown = house.get(f"/admin/api/request-sets/{number}").get_json()

    assert {found["facebook_id"] for found in shown["found_sets"]} == {set_id, "8"}


def test_what_is_for_the_receivers_own_use_is_not_shown(house: House) -> None:
    house.create_open()
    for path in ("/admin/api/request-sets/1", "/admin/api/request-sets"):
        text = house.get(path).text
        assert "parameters_hash" not in text
        assert "lease_token" not in text
        assert "etag" not in text


def test_requests_are_filtered_and_say_what_failed(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()
    path = "/admin/api/requests"

    (failed,) = house.get(path, status="Error").get_json()["data"]
    (good,) = house.get(path, status="success", ad_set=AD_SET).get_json()["data"]

    assert failed["error_code"] is not None
    assert failed["error_meaning"]
    assert failed["error_advice"]
    assert good["error_advice"] is None
    assert ids(house, path, error_code=failed["error_code"]) == [failed["id"]]
    assert ids(house, path, created_object=good["created_object_id"]) == [good["id"]]
    assert ids(house, path, request_set=1, sort="id") == sorted([good["id"], failed["id"]])
    assert ids(house, path, id=f"{good['id']},9") == [good["id"]]


def test_a_list_is_counted_when_asked(house: House) -> None:
    with_sets(house, 3)
    path = "/admin/api/request-sets"

    assert house.get(path).get_json()["count"] is None
    counted = house.get(path, count="true", limit=1).get_json()["count"]
    assert counted == {"at_least": 3, "is_exact": True}


def test_a_cursor_goes_with_its_order(house: House) -> None:
    with_sets(house, 3)
    path = "/admin/api/request-sets"
    cursor = house.get(path, limit=1).get_json()["next_cursor"]

    answer = house.get(path, cursor=cursor, sort="created_at")

    assert answer.status_code == 400
    assert "sorted otherwise" in answer.get_json()["detail"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/admin/api/deliveries", {}),
        ("/admin/api/requests", {}),
        ("/admin/api/request-sets", {"name": "Set 2"}),
        ("/admin/api/request-sets", {"account": str(ACCOUNT)}),
    ],
    ids=str,
)
def test_a_cursor_goes_with_its_list_and_filters(
    house: House, path: str, query: dict[str, str]
) -> None:
    with_sets(house, 3)
    cursor = house.get("/admin/api/request-sets", limit=1).get_json()["next_cursor"]

    answer = house.get(path, cursor=cursor, **query)

    assert answer.status_code == 400
    assert answer.get_json()["detail"].startswith("cursor: ")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/admin/api/request-sets", 5),
        ("/admin/api/looks", 5),
        ("/admin/api/requests", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_a_cursor_holds_what_sorts_its_list(house: House, path: str, value: object) -> None:
    house.notify(house.create_open([ad("one"), ad("two")]))
    house.notify(house.create_open())
    house.work()
    given = house.get(path, limit=1).get_json()["next_cursor"]
    digest, _, number = json.loads(base64.urlsafe_b64decode(given + "=="))
    written = json.dumps([digest, value, number]).encode()

    answer = house.get(path, cursor=base64.urlsafe_b64encode(written).decode().rstrip("="))

    assert answer.status_code == 400
    assert "next_cursor" in answer.get_json()["detail"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("looks?request_set=1&request_set=2", "request_set"),
        ("request-sets?limit=1&limit=500", "limit"),
        ("request-sets?name=x&name=Set", "name"),
        ("exports/requests?format=csv&format=ndjson", "format"),
        ("outcomes?interval=hour&interval=day", "interval"),
    ],
)
def test_a_second_value_for_what_takes_one_is_refused(house: House, query: str, name: str) -> None:
    answer = house.get(f"/admin/api/{query}")

    assert answer.status_code == 400
    assert answer.get_json()["detail"] == f"{name}: must be given once only"
    assert house.get("/admin/api/request-sets?state=open&state=stuck").status_code == 200


NOTHING = base64.urlsafe_b64encode(b'["-created_at","2026-01-01T00:00:00",1]').decode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "cursor",
    ["", "!", "e30", "W10", "Wzc", "a" * 500, NOTHING, NOTHING[:-3], "WyItaWQiLDEsMV0"],
)
def test_a_cursor_that_was_tampered_with_is_refused(house: House, cursor: str) -> None:
    answer = house.get("/admin/api/request-sets", cursor=cursor)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert "cursor" in answer.get_json()["detail"]


HTML = b"<script>alert(1)</script>\x00\x1b[31m\xff"


def test_a_notification_is_shown_as_text_and_downloaded_as_it_came(house: House) -> None:
    house.notify(house.create_open(), data=HTML, headers={"X-Odd": "<b>"})
    house.work()

    shown = house.get("/admin/api/notifications/1").get_json()
    raw = house.get("/admin/api/notifications/1/raw")

    assert base64.b64decode(shown["body_base64"]) == raw.data == HTML
    assert {"name": "X-Odd", "value": "<b>"} in shown["headers"]
    assert raw.headers["Content-Type"] == "application/octet-stream"
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert raw.headers["X-Content-Type-Options"] == "nosniff"


def test_a_delivery_is_shown_with_its_attempts(house: House) -> None:
    house.notify(house.create_open(notification_uri=HOOK, notification_mode="ON_COMPLETE"))
    house.work()
    assert house.deliver() == 1

    (listed,) = house.get("/admin/api/deliveries", state="pending").get_json()["data"]
    shown = house.get("/admin/api/deliveries/1").get_json()

    assert listed["uri"] == "http://127.0.0.1:9/hook?(hidden)"
    assert [attempt["number"] for attempt in shown["made"]] == [1]
    assert shown["made"][0]["error"]
    for path in ("/admin/api/deliveries", "/admin/api/deliveries/1", "/admin/api/request-sets/1"):
        assert "of-the-caller" not in house.get(path).text


HOOK = "http://u:p-of-the-caller@127.0.0.1:9/hook?secret=of-the-caller"


def test_one_row_of_somebody_elses_is_not_found(house: House) -> None:
    house.notify(house.create_open(notification_uri=HOOK, notification_mode="ON_COMPLETE"))
    house.work()
    house.key = add_account(house.parts, 5)

    for path in ("request-sets/1", "notifications/1", "notifications/1/raw", "deliveries/1"):
        assert house.get(f"/admin/api/{path}").status_code == 404
