"""Creates on the three edges, and what becomes of an async batch's URI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from receiver.store import intents
from receiver.store.models import Request
from tests.support.house import ACCOUNT, PUBLIC_URL, House, ad, add_account

ACT = f"act_{ACCOUNT}"
BATCHES = f"/{ACT}/async_batch_requests"


def operation(name: str = "made", **parts: Any) -> dict[str, Any]:
    body = "name=c&objective=LINK_CLICKS"
    return {"name": name, "relative_url": f"{ACT}/campaigns", "body": body, **parts}


def send(house: House, operations: Any, **parameters: Any) -> TestResponse:
    form = {"name": "a batch", "adbatch": json.dumps(operations), "access_token": house.key}
    return house.client.post(BATCHES, data={**form, **parameters})


def code(response: TestResponse) -> tuple[int, int]:
    return response.status_code, response.get_json()["error"]["code"]


def at_facebook(house: House) -> dict[str, Any]:
    (entry,) = house.sandbox.ledger()
    return entry


def test_an_async_batch_is_an_intent_that_facebook_notifies_us_of(house: House) -> None:
    response = send(house, [operation("one"), operation("two")])
    row = house.the_set()
    assert response.get_json() == {"id": str(row.facebook_id)}
    assert (row.edge, row.spec_count, row.uri_pending) == ("async_batch_requests", 2, False)
    assert at_facebook(house)["notification_uri"].startswith(f"{PUBLIC_URL}/notifications/")
    house.notify()
    house.work()
    assert house.the_set().state == intents.COLLECTED
    assert {row.status for row in house.rows(Request)} == {"SUCCESS"}


def test_the_uri_is_told_again_by_the_next_look_until_it_is_known(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.sandbox.trouble("http_error", method="POST", path="^/?[0-9]+$", count=2)
    assert send(house, [operation()]).status_code == 200
    assert house.the_set().uri_pending
    for _ in range(2):
        house.clock.move(60)
        house.work()
    assert not house.the_set().uri_pending
    assert at_facebook(house)["notification_uri"] is not None


def test_without_its_uri_an_async_batch_is_found_complete_by_looking(house: House) -> None:
    house.sandbox.trouble("http_error", method="POST", path="^/?[0-9]+$", count=None)
    send(house, [operation()])
    house.clock.move(60)
    house.work()
    row = house.the_set()
    assert (row.state, row.uri_pending, row.verdict) == (intents.COLLECTED, False, "none")


def test_an_async_batch_whose_answer_was_lost_is_found_by_its_tag(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST", path="async_batch_requests$")
    response = send(house, [operation()])
    assert code(response) == (409, 409)
    house.clock.move(600)
    house.work()
    assert house.the_set().state == intents.COLLECTED
    assert str(house.the_set().facebook_id) == at_facebook(house)["id"]


def test_what_depends_on_a_failure_says_so_in_sql(house: House) -> None:
    failing = operation("parent", body="nothing=1")
    child = operation("child", body="name={result=parent:$.id}&objective=LINK_CLICKS")
    send(house, [failing, child])
    house.notify()
    house.work()
    assert [row.status for row in house.rows(Request)] == ["ERROR", "ERROR_DEPENDENCY"]


def test_a_thousand_operations_are_taken_and_no_more(house: House) -> None:
    many = [operation(str(number)) for number in range(1000)]
    assert send(house, many).status_code == 200
    assert code(send(house, [*many, operation()])) == (400, 100)


@pytest.mark.parametrize("part", ["name", "relative_url", "body"])
def test_an_operation_needs_each_of_its_parts(house: House, part: str) -> None:
    incomplete = operation()
    del incomplete[part]
    assert code(send(house, [incomplete])) == (400, 194)
    assert code(send(house, [operation()], name="")) == (400, 194)


def test_the_operations_of_the_page_are_taken_as_printed(house: House) -> None:
    printed = (
        f"[{{'name': 'a', 'relative_url': '{ACT}/campaigns', 'body': 'name%3Dc%26x%3D1', }}, ]"
    )
    form = {"name": "a", "adbatch": printed, "access_token": house.key}
    assert house.client.post(BATCHES, data=form).status_code == 200


@pytest.mark.parametrize(
    "where", [{"body": "name=c&access_token={key}"}, {"relative_url": "{act}?access_token={key}"}]
)
def test_a_key_inside_of_an_operation_goes_no_further(house: House, where: dict[str, str]) -> None:
    parts = {
        name: text.format(key=house.key, act=f"{ACT}/campaigns") for name, text in where.items()
    }
    assert send(house, [operation(**parts)]).status_code == 200
    assert house.key not in json.dumps(house.sandbox.ledger())
    page = house.get(f"/{house.the_set().facebook_id}/requests", fields="input")
    assert house.key not in page.text


@pytest.mark.parametrize(
    ("relative_url", "expected"),
    [
        ("act_5/campaigns", (403, 200)),
        ("me/feed", (403, 200)),
        ("oauth/access_token", (403, 200)),
        ("{result=made:$.name}/ads", (400, 100)),
    ],
)
def test_an_operation_may_do_what_its_key_may(
    house: House, relative_url: str, expected: tuple[int, int]
) -> None:
    add_account(house.parts, 5)
    refused = send(house, [operation(), operation("other", relative_url=relative_url)])
    assert code(refused) == expected
    assert house.sandbox.ledger() == []


def test_an_operation_may_address_what_another_one_makes(house: House) -> None:
    made = operation("campaign")
    update = operation("update", relative_url="{result=campaign:$.id}", body="name=new")
    send(house, [made, update])
    house.notify()
    house.work()
    assert {row.status for row in house.rows(Request)} == {"SUCCESS"}


def test_a_creative_is_a_set_of_one(house: House) -> None:
    form = {"name": "c", "creative_spec": '{"name": "x"}', "access_token": house.key}
    made = house.client.post(f"/{ACT}/asyncadcreatives", data=form).get_json()["id"]
    house.notify()
    house.work()
    shown = house.get(f"/{made}", fields="total_count,is_completed").get_json()
    assert shown == {"total_count": 1, "is_completed": True, "id": made}
    for spec in ("[]", "x", ""):
        form["creative_spec"] = spec
        assert code(house.client.post(f"/{ACT}/asyncadcreatives", data=form)) == (400, 100)


def test_a_create_answers_the_fields_that_it_is_asked_for(house: House) -> None:
    shown = house.create(fields="name,total_count,requests{status}").get_json()
    assert (shown["name"], shown["total_count"]) == ("A set", 2)
    assert [each["status"] for each in shown["requests"]["data"]] == ["SUCCESS", "SUCCESS"]
    refused = house.create(fields="nonsense")
    assert code(refused) == (400, 100)
    assert len(house.sandbox.ledger()) == 1


def test_a_create_shows_what_it_cost(house: House) -> None:
    assert "acc_id_util_pct" in house.create([ad("one")]).headers["X-Ad-Account-Usage"]
