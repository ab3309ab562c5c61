"""The query API: lists, filters, pages, and who may see what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from receiver.store import intents
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from tests.support.house import ACCOUNT, House, add_account

LISTS = ["/admin/api/request-sets", "/admin/api/notifications", "/admin/api/looks"]


def ids(house: House, path: str, **query: Any) -> list[str]:
    response = house.get(path, **query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.get_json()["data"]]


def with_sets(house: House, count: int) -> list[str]:
    return [house.create_open(name=f"Set {number}") for number in range(count)]


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


@pytest.mark.parametrize("number", [str(2**63), "9" * 5000, "0", "-1", "x"], ids=len)
def test_a_number_that_no_set_can_have_is_not_found(house: House, number: str) -> None:
    answer = house.get(f"/admin/api/request-sets/{number}")

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_what_nobody_foresaw_is_a_problem_document(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("receiver.store.reports.looks", fail)
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
