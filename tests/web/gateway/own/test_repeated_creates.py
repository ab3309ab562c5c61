"""A create that is asked for again is the one that was asked for before."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from werkzeug.test import TestResponse

from receiver.crypto import hash_api_key, new_api_key
from receiver.lifecycle import step, twins
from receiver.store import intents, keys, repeats
from receiver.store.models import RequestSet
from tests.support.databases import fresh_database_url
from tests.support.house import ACCOUNT, House, ad, add_account, open_house

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def create(house: House, *, key: str | None = None, **parameters: Any) -> TestResponse:
    """Create a set under a key in the header."""
    form = {"name": "A set", "ad_specs": json.dumps([ad("one")]), "access_token": house.key}
    headers = {} if key is None else {"Idempotency-Key": key}
    path = f"/act_{ACCOUNT}/asyncadrequestsets"
    return house.client.post(path, data={**form, **parameters}, headers=headers)


def count(house: House) -> int:
    return len(house.sandbox.ledger())


def test_the_same_key_and_parameters_are_the_same_set(house: House) -> None:
    first, second = create(house, key="k1"), create(house, key="k1")
    assert first.get_json() == second.get_json()
    assert (first.status_code, second.status_code, count(house)) == (200, 200, 1)
    sources = [each.headers["X-Receiver-Source"] for each in (first, second)]
    assert sources == ["graph", "store"]
    assert second.headers["X-Receiver-Set"] == first.headers["X-Receiver-Set"]


def test_the_key_may_stand_in_a_field_or_in_quotation_marks(house: House) -> None:
    answers = [
        create(house, key="k1"),
        create(house, key='"k1"'),
        create(house, idempotency_key="k1"),
        create(house, key="k1", idempotency_key="k1"),
    ]
    assert len({each.get_json()["id"] for each in answers}) == 1


def test_the_key_is_not_sent_to_facebook(house: House) -> None:
    create(house, idempotency_key="k1")
    (call,) = [one for one in house.sandbox.calls()["calls"] if one["method"] == "POST"]
    assert "k1" not in json.dumps(call)


def test_the_same_parameters_in_other_words_are_the_same(house: House) -> None:
    create(house, key="k1", ad_specs='[{"name":"one","adset_id":"5"}]')
    again = create(house, key="k1", ad_specs='[ {"adset_id": "5", "name": "one"} ]')
    assert (again.status_code, count(house)) == (200, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Another"},
        {"ad_specs": json.dumps([ad("two")])},
        {"notification_uri": "https://other.example"},
    ],
)
def test_the_same_key_with_other_parameters_is_refused(house: House, other: dict[str, str]) -> None:
    create(house, key="k1")
    response = create(house, key="k1", **other)
    error = response.get_json()["error"]
    assert (response.status_code, error["is_transient"], count(house)) == (409, False, 1)
    assert error["error_data"]["blame_field_specs"] == [["idempotency_key"]]


def test_other_keys_and_none_are_other_creates(house: House) -> None:
    ids = {create(house, key=key).get_json()["id"] for key in ("k1", "k2", None, None)}
    assert (len(ids), count(house)) == (4, 4)


@pytest.mark.parametrize(
    ("key", "field"), [("x" * 256, ""), ("", "y" * 256), ("a", "b"), ("", "a\0b")]
)
def test_an_unusable_key_is_refused(house: House, key: str, field: str) -> None:
    response = create(house, key=key, idempotency_key=field)
    assert (response.status_code, count(house)) == (400, 0)
    assert "idempotency" in response.get_json()["error"]["message"].lower()


def test_one_key_names_one_create_of_each_edge_and_account(house: House) -> None:
    other = add_account(house.parts, 4711)
    create(house, key="k1")
    form = {"name": "A set", "creative_spec": json.dumps({"name": "c"}), "access_token": house.key}
    headers = {"Idempotency-Key": "k1"}
    on_edge = house.client.post(f"/act_{ACCOUNT}/asyncadcreatives", data=form, headers=headers)
    ads = {"name": "A set", "ad_specs": json.dumps([ad("one")]), "access_token": other}
    on_account = house.client.post("/act_4711/asyncadrequestsets", data=ads, headers=headers)
    assert (on_edge.status_code, on_account.status_code, count(house)) == (200, 200, 3)


def test_the_outcome_of_a_key_can_be_asked_for_without_facebook(house: House) -> None:
    first = create(house, key="k1")
    with house.with_facebook_at("http://127.0.0.1:9"):
        assert create(house, key="k1").get_json() == first.get_json()


def test_and_while_its_account_waits(house: House) -> None:
    first = create(house, key="k1")
    house.sandbox.trouble("graph_error", code=17, **CREATE)
    assert create(house, key="k2").get_json()["error"]["code"] == 17
    assert create(house, key="k1").get_json() == first.get_json()


def test_a_refusal_that_stays_is_answered_again(house: House) -> None:
    house.sandbox.trouble("graph_error", code=100, message="no such field", **CREATE)
    first, second = create(house, key="k1"), create(house, key="k1")
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert count(house) == 0


@pytest.mark.parametrize("code", [17, 190])
def test_a_refusal_that_may_pass_releases_the_key(house: House, code: int) -> None:
    house.sandbox.trouble("graph_error", code=code, **CREATE)
    assert create(house, key="k1").get_json()["error"]["code"] == code
    house.clock.move(3600)
    house.replace_token()
    assert create(house, key="k1").status_code == 200


def test_nothing_sent_releases_the_key(house: House) -> None:
    with house.with_facebook_at("http://127.0.0.1:9"):
        assert create(house, key="k1").status_code == 503
    assert create(house, key="k1").status_code == 200


def test_a_create_whose_outcome_is_unknown_is_joined_not_made_again(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    answers = [create(house) for _ in range(3)]
    assert [each.status_code for each in answers] == [409, 409, 409]
    assert len({each.headers["X-Receiver-Set"] for each in answers}) == 1
    assert (count(house), len(house.rows(RequestSet))) == (1, 1)
    house.clock.move(15)
    house.work()
    assert create(house).status_code == 200
    assert count(house) == 2


def test_with_a_key_it_stays_the_same_create_once_it_is_found(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert create(house, key="k1").status_code == 409
    house.clock.move(15)
    house.work()
    assert create(house, key="k1").get_json()["id"] == house.sandbox.ledger()[0]["id"]
    assert count(house) == 1


def test_a_key_given_afterwards_names_the_create_that_it_joins(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert create(house).status_code == 409
    assert create(house, key="k1").status_code == 409
    house.clock.move(15)
    house.work()
    assert create(house, key="k1").status_code == 200
    assert count(house) == 1


def test_another_key_does_not_make_again_what_may_exist(house: House) -> None:
    """Some programs make a new key for each try: what is alike and unknown is the same create."""
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert create(house, key="k1").status_code == 409
    assert create(house, key="k2").status_code == 409
    house.clock.move(15)
    house.work()
    ids = {create(house, key=key).get_json()["id"] for key in ("k1", "k2")}
    assert (len(ids), count(house)) == (1, 1)


def test_two_keys_are_two_creates_while_the_first_is_only_on_its_way(house: House) -> None:
    house.sandbox.latency(300)
    answers = at_once(house, 3, key="k1") + at_once(house, 3, key="k2")
    assert {each.status_code for each in answers} <= {200, 409}
    assert count(house) == 2


def test_what_another_caller_asks_for_alike_is_marked_as_a_twin(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert create(house).status_code == 409
    assert create(house, access_token=add_another_key(house)).status_code == 200
    first, second = house.rows(RequestSet)
    assert (first.twin_of, second.twin_of) == (None, first.id)


def test_another_caller_or_other_parameters_do_not_join(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    assert create(house).status_code == 409
    assert create(house, name="Another").status_code == 200
    other = add_another_key(house)
    assert create(house, access_token=other).status_code == 200
    assert count(house) == 3


def add_another_key(house: House) -> str:
    key = new_api_key()
    with house.parts.database.writing() as session:
        keys.add_key(
            session,
            "another",
            key_hash=hash_api_key(key),
            account_ids=[ACCOUNT],
            now=house.clock(),
        )
    return key


def test_what_was_given_up_is_not_sent_under_its_key(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert create(house, key="k1").status_code == 409
    with house.parts.database.writing() as session:
        assert repeats.abandon(session, 1, reason="we do not want it.", now=house.clock())
    response = create(house, key="k1")
    assert (response.status_code, count(house)) == (409, 0)
    assert "given up by a person" in response.get_json()["error"]["message"]


def test_a_key_that_a_cut_database_forgot_is_found_in_its_own_transaction(house: House) -> None:
    """The look before and the row itself: between the two another process may be faster."""
    assert create(house, key="k1").status_code == 200
    with mock.patch.object(twins, "find_earlier", return_value=None):
        again = create(house, key="k1")
    assert (again.status_code, count(house)) == (200, 1)


def test_of_twenty_at_once_under_one_key_one_is_sent(house: House) -> None:
    house.sandbox.latency(50)
    answers = at_once(house, 20, key="k1")
    assert count(house) == 1
    assert {each.status_code for each in answers} <= {200, 409, 503}
    assert create(house, key="k1").status_code == 200


def test_of_twenty_alike_at_once_none_is_sent_while_another_is_under_way(house: House) -> None:
    """Without a key they may be one create or many: what is not answered yet is joined."""
    house.sandbox.latency(300)
    answers = at_once(house, 8)
    ids = {each.get_json().get("id") for each in answers if each.status_code == 200}
    assert len(ids) == count(house) < 8


def at_once(house: House, number: int, *, key: str | None = None) -> list[TestResponse]:
    application = house.client.application
    callers = [replace(house, client=application.test_client()) for _ in range(number)]
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda caller: create(caller, key=key), callers))


@contextmanager
def working(house: House) -> Iterator[None]:
    """Let a worker be at work, and our time pass."""
    ends = threading.Event()

    def work() -> None:
        while not ends.wait(0.05):
            house.clock.move(1)
            step.advance(house.parts.tools)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ends.set()
        worker.join()


@pytest.fixture
def patient_house(database_url: str) -> Iterator[House]:
    """A receiver whose creates wait for their outcome."""
    with open_house(database_url, create_wait_seconds=10) as house:
        yield house


def test_a_create_waits_for_its_own_outcome_to_be_found(patient_house: House) -> None:
    patient_house.sandbox.trouble("commit_then_drop", **CREATE)
    with working(patient_house):
        response = create(patient_house)
    assert response.get_json() == {"id": patient_house.sandbox.ledger()[0]["id"]}
    assert response.status_code == 200


def test_one_that_joins_waits_too(patient_house: House) -> None:
    patient_house.sandbox.latency(400)
    answers = at_once(patient_house, 3)
    assert {each.status_code for each in answers} == {200}
    assert len({each.get_json()["id"] for each in answers}) == count(patient_house) == 1


def test_the_wait_ends(tmp_path: Any) -> None:
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        open_house(url, create_wait_seconds=0.3) as house,
    ):
        house.sandbox.trouble("reset", **CREATE)
        assert create(house).status_code == 409
        assert house.the_set().state == intents.UNKNOWN


def test_a_twin_in_a_batch_joins_too(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", **CREATE)
    body = "name=twin&ad_specs=" + json.dumps([ad("one")])
    url = f"act_{ACCOUNT}/asyncadrequestsets"
    operation = {"method": "POST", "relative_url": url, "body": body}
    form = {"batch": json.dumps([operation, operation]), "access_token": house.key}
    codes = [each["code"] for each in house.client.post("/", data=form).get_json()]
    assert (codes, count(house)) == ([409, 409], 1)


def test_an_operation_of_a_batch_may_have_a_key(house: House) -> None:
    body = "name=twin&ad_specs=" + json.dumps([ad("one")])
    operation = {
        "method": "POST",
        "relative_url": f"act_{ACCOUNT}/asyncadrequestsets",
        "body": body,
        "headers": ["Idempotency-Key: k1"],
    }
    form = {"batch": json.dumps([operation, operation]), "access_token": house.key}
    answers = [json.loads(each["body"]) for each in house.client.post("/", data=form).get_json()]
    assert answers[0] == answers[1]
    assert count(house) == 1
