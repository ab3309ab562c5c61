"""Reading a set and its requests back from SQL, in Graph's shape."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import update

from receiver.graph.wire import read_request_node
from receiver.store.models import Request
from tests.support.house import ACCOUNT, PUBLIC_URL, House, ad, add_account


def collected(house: House, *, ads: int = 2, failing: int = 0) -> str:
    specs = [ad(f"fail {number}" if number < failing else f"{number}") for number in range(ads)]
    set_id = house.create_open(specs)
    house.notify(set_id)
    house.work()
    return set_id


def test_a_set_shows_its_documented_defaults(house: House) -> None:
    set_id = collected(house)

    response = house.get(f"/v21.0/{set_id}")

    assert response.get_json() == {
        "id": set_id,
        "owner_id": str(ACCOUNT),
        "name": "A set",
        "is_completed": True,
    }
    assert response.headers["X-Receiver-Source"] == "store"
    assert response.headers["Age"] == "0"


def test_a_set_shows_its_counts_when_asked(house: House) -> None:
    set_id = collected(house, ads=5, failing=2)

    shown = house.get(
        f"/{set_id}", fields="total_count,initial_count,in_progress_count,success_count,error_count"
    )

    assert shown.get_json() == {
        "id": set_id,
        "total_count": 5,
        "initial_count": 0,
        "in_progress_count": 0,
        "success_count": 3,
        "error_count": 2,
    }


def test_a_new_set_is_open_and_all_of_it_is_initial(house: House) -> None:
    house.sandbox.configure(str(ACCOUNT), progress={"kind": "by_hand"})
    set_id = house.create_open()

    shown = house.get(f"/{set_id}", fields="is_completed,total_count,initial_count").get_json()

    assert shown == {"id": set_id, "is_completed": False, "total_count": 2, "initial_count": 2}


def test_a_set_is_not_complete_for_its_caller_before_every_result_can_be_read(
    house: House,
) -> None:
    set_id = house.without_expansion().create_open()
    house.sandbox.trouble("graph_error", path=f"/{set_id}/requests", code=100)
    house.notify(set_id)
    house.work()

    assert house.the_set().state == "completed"
    assert house.get(f"/{set_id}").get_json()["is_completed"] is False


def test_requests_show_their_documented_defaults(house: House) -> None:
    set_id = collected(house)

    page = house.get(f"/v21.0/{set_id}/requests").get_json()

    real = house.sandbox.ledger()[0]["requests"]
    assert page["data"] == [
        {"id": one["id"], "scope_object_id": one["scope_object_id"], "status": one["status"]}
        for one in real
    ]
    assert set(page["paging"]) == {"cursors"}


def test_requests_show_result_and_input_when_asked(house: House) -> None:
    set_id = collected(house, ads=2, failing=1)

    page = house.get(
        f"/{set_id}/requests", fields="result,input,async_request_set,type,created_time"
    ).get_json()

    failed, succeeded = page["data"]
    assert set(failed["result"]) == {"error_code", "error_message"}
    assert succeeded["result"]["id"].isdigit()
    assert succeeded["input"]["adgroup_spec"]["name"] == "1"
    assert succeeded["async_request_set"] == {
        "id": set_id,
        "owner_id": str(ACCOUNT),
        "name": "A set",
        "is_completed": True,
    }
    assert succeeded["created_time"]


def test_pages_follow_each_other_in_both_directions(house: House) -> None:
    set_id = collected(house, ads=7)
    expected = [str(row.id) for row in house.rows(Request)]

    there = _walk(house, f"/{set_id}/requests?limit=3", link="next")
    back = _walk(house, there[-1]["url"], link="previous")

    assert [one["id"] for page in there for one in page["data"]] == expected
    assert [len(page["data"]) for page in there] == [3, 3, 1]
    assert [one["id"] for page in back[::-1] for one in page["data"]] == expected


def _walk(house: House, url: str, *, link: str) -> list[dict[str, Any]]:
    pages = []
    while url:
        parts = urlsplit(url)
        page = house.get(parts.path, **dict(parse_qsl(parts.query))).get_json()
        if not page["data"]:
            break
        pages.append({**page, "url": url})
        url = page.get("paging", {}).get(link, "")
        assert house.key not in url
    return pages


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"fields": "nothing"}, "nothing"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"after": "!"}, "cursors"),
        ({"before": "MA"}, "cursors"),
    ],
)
def test_a_bad_reading_is_refused(house: House, query: dict[str, str], word: str) -> None:
    set_id = house.create_open()

    response = house.get(f"/{set_id}/requests", **query)

    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 100)
    assert word in response.get_json()["error"]["message"]


MISSING = "9" * 18


@pytest.mark.parametrize("path", [f"/{MISSING}", f"/{MISSING}/requests", f"/{MISSING}/nothing"])
def test_an_object_that_is_not_there_is_a_graph_error(house: House, path: str) -> None:
    error = house.get(path).get_json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 33)


def test_a_set_of_another_account_may_not_be_read(house: House) -> None:
    set_id = house.create_open()
    house.key = add_account(house.parts, 5)

    response = house.get(f"/{set_id}")

    assert (response.status_code, response.get_json()["error"]["code"]) == (403, 200)


def test_hostile_answers_of_facebook_are_stored_and_read_back(house: House) -> None:
    set_id = house.create_open([ad("fail")])
    request_id = house.sandbox.ledger()[0]["requests"][0]["id"]
    hostile = {"error_code": 100, "error_message": "a\x00b\ud800c"}
    house.sandbox.override(request_id, result=hostile)
    house.notify(set_id)
    house.work()

    page = house.get(f"/{set_id}/requests", fields="result").get_json()

    assert page["data"][0]["result"] == hostile
    assert house.rows(Request)[0].error_message == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status": "SUCCESS"}, ["SUCCESS"]),
        ({"status": "error, nonsense"}, ["ERROR", "ERROR"]),
        ({"statuses": '["Success","ERROR"]'}, ["ERROR", "ERROR", "SUCCESS"]),
        ({"status": "nonsense"}, []),
    ],
    ids=str,
)
def test_requests_are_chosen_by_their_status(
    house: House, query: dict[str, str], shown: list[str]
) -> None:
    set_id = house.create_open([ad("will fail 1"), ad("fine"), ad("will fail 2")])
    house.notify()
    house.work()

    page = house.get(f"/{set_id}/requests", fields="status", **query).get_json()

    assert sorted(row["status"] for row in page["data"]) == shown


def test_a_paging_link_goes_on_with_the_same_status(house: House) -> None:
    set_id = house.create_open([ad(f"{'will fail' if n % 2 else 'fine'} {n}") for n in range(6)])
    house.notify()
    house.work()

    page = house.get(f"/{set_id}/requests", fields="status", status="ERROR", limit=1).get_json()
    seen = list(page["data"])
    while link := page.get("paging", {}).get("next"):
        target = urlsplit(link.removeprefix(PUBLIC_URL))
        page = house.get(target.path, **dict(parse_qsl(target.query))).get_json()
        seen += page["data"]

    assert [row["status"] for row in seen] == ["ERROR"] * 3


@pytest.mark.parametrize("status", ["a\0", "\ud800", "SUCCESS,\ud800"])
def test_a_status_that_no_database_takes_is_refused(house: House, status: str) -> None:
    set_id = collected(house)

    headers = {"Authorization": f"Bearer {house.key}"}
    answer = house.client.get(f"/{set_id}/requests", json={"status": status}, headers=headers)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, 100)
    assert "status" in answer.get_json()["error"]["message"]


def test_what_is_kept_of_a_deep_answer_is_not_too_deep_to_be_read(house: House) -> None:
    set_id = collected(house, ads=1)
    deep = json.loads(f"{'[' * 500}{']' * 500}")
    reading = read_request_node({"id": "1", "status": "SUCCESS", "result": deep})
    with house.parts.database.writing() as session:
        session.execute(update(Request).values(result=reading.result))

    answer = house.get(f"/{set_id}/requests", fields="result")

    assert answer.status_code == 200
    assert answer.text.count("[") == 501
