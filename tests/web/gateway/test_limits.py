"""Calls that Facebook would refuse now are refused here, without spending one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.store.models import Account, RequestSet
from tests.support.house import ACCOUNT, TOKEN, House
from tests.support.lying_server import answering, http_answer, lying_server

ACT = f"/act_{ACCOUNT}"
THROTTLED = {"code": 80004, "subcode": 2446079}


def calls(house: House) -> int:
    return len(house.sandbox.calls()["calls"])


def throttle(house: House, **error: Any) -> None:
    house.sandbox.trouble("graph_error", **{**THROTTLED, **error})
    house.get(f"{ACT}/campaigns")


def test_the_same_error_comes_again_and_says_when_to_come_back(house: House) -> None:
    house.sandbox.trouble("graph_error", **THROTTLED)
    first = house.get(f"{ACT}/campaigns")
    before = calls(house)
    house.clock.move(100)
    again = house.get(f"{ACT}/campaigns")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Retry-After"] == "200"
    assert calls(house) == before


def test_what_is_kept_of_a_refusal_shows_neither_our_token_nor_another_callers_key(
    house: House,
) -> None:
    body = {"error": {"message": f"slow down, {TOKEN}", "code": 17}}
    refusal = http_answer(json.dumps(body).encode(), status=400)
    query = f"access_token={house.key}"
    with lying_server(answering(refusal)) as server, house.with_facebook_at(server.url):
        assert TOKEN not in house.client.get(f"{ACT}/campaigns?{query}").text
        again = house.get(f"{ACT}/campaigns")
        operations = json.dumps([{"method": "GET", "relative_url": f"{ACT}/ads"}])
        batch = house.client.post(f"/?{query}", data={"batch": operations})
    (account,) = house.rows(Account)
    kept = (account.wait_body or b"").decode()
    for shown in (again.text, batch.text, kept):
        assert "slow down" in shown
        assert TOKEN not in shown
        assert house.key not in shown


def test_a_create_is_refused_before_an_intent_is_written(house: House) -> None:
    throttle(house)
    before = calls(house)
    response = house.create()
    assert response.get_json()["error"]["code"] == 80004
    assert "Retry-After" in response.headers
    assert house.rows(RequestSet) == []
    assert calls(house) == before


def test_after_its_time_a_call_goes_out_again(house: House) -> None:
    throttle(house)
    house.clock.move(300)
    assert house.create().status_code == 200


def test_a_create_that_was_throttled_keeps_the_others_waiting(house: House) -> None:
    house.sandbox.trouble("graph_error", method="POST", **THROTTLED)
    assert house.create().status_code == 400
    before = calls(house)
    assert "Retry-After" in house.get(f"{ACT}/campaigns").headers
    assert calls(house) == before


def test_the_limit_of_an_app_stops_what_belongs_to_no_account_too(house: House) -> None:
    throttle(house, code=4, subcode=None)
    before = calls(house)
    assert house.get("/me").get_json()["error"]["code"] == 4
    assert calls(house) == before


def test_the_limit_of_an_account_stops_nothing_else(house: House) -> None:
    throttle(house)
    assert house.get("/me").status_code == 200


def test_a_header_that_asks_to_wait_counts_as_much_as_an_error(house: House) -> None:
    house.sandbox.configure(str(ACCOUNT), limits={"enforced": True, "max_score": 3})
    assert house.create().status_code == 200
    before = calls(house)
    response = house.create()
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 17)
    assert int(response.headers["Retry-After"]) > 0
    assert calls(house) == before


def test_what_is_known_is_read_all_the_same(house: House) -> None:
    set_id = house.create_open()
    throttle(house)
    before = calls(house)
    assert house.get(f"/{set_id}").status_code == 200
    assert house.get(f"{ACT}/asyncadrequestsets").status_code == 200
    assert calls(house) == before


@pytest.mark.parametrize("path", [f"{ACT}/campaigns", "/me"])
def test_more_calls_than_may_wait_are_told_to_come_again(house: House, path: str) -> None:
    house.take_all_slots()
    response = house.get(path)
    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (503, 2, True)
