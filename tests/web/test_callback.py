"""The notification endpoint, without a server around it: what is kept, and what is answered."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from receiver.store.models import Notification
from tests.support.house import PUBLIC_URL, House


def notification_path(house: House) -> str:
    house.create_open()
    uri: str = house.sandbox.ledger()[-1]["notification_uri"]
    return uri.removeprefix(PUBLIC_URL)


@pytest.mark.parametrize(
    ("request_arguments", "query", "body"),
    [
        ({"data": {"id": "6012384857989"}}, "", b"id=6012384857989"),
        ({"json": {"id": "6012384857989"}}, "", b'{"id": "6012384857989"}'),
        ({"query_string": "id=6012384857989&x=%00"}, "id=6012384857989&x=%00", b""),
        ({}, "", b""),
        ({"data": b"\x00\xff\xfe garbage \x80"}, "", b"\x00\xff\xfe garbage \x80"),
    ],
    ids=["form", "json", "query", "empty", "garbage"],
)
def test_a_notification_is_kept_as_it_came(
    house: House, request_arguments: dict[str, Any], query: str, body: bytes
) -> None:
    path = notification_path(house)

    response = house.client.post(path, **request_arguments)

    assert (response.status_code, response.text) == (200, "OK")
    (kept,) = house.rows(Notification)
    assert (kept.request_set_id, kept.attempt) == (house.the_set().id, 1)
    assert (kept.method, kept.query, kept.body) == ("POST", query, body)
    assert (kept.body_cut, kept.applied_at) == (None, None)


def test_its_headers_are_kept_in_their_order(house: House) -> None:
    path = notification_path(house)

    house.client.post(path, headers=[("X-One", "1"), ("X-Two", "zwei \xff")])

    (kept,) = house.rows(Notification)
    names = [name for name, _ in json.loads(kept.headers)]
    assert names.index("X-One") < names.index("X-Two")
    assert ["X-Two", "zwei \xff"] in json.loads(kept.headers)


def test_headers_beyond_their_limit_are_left_out(house: House) -> None:
    path = notification_path(house)

    house.client.post(path, headers={f"X-{number}": "x" * 1000 for number in range(40)})

    (kept,) = house.rows(Notification)
    assert len(kept.headers) < 20_000


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_writing_method_is_kept_alike(house: House, method: str) -> None:
    path = notification_path(house)

    assert house.client.open(path, method=method).status_code == 200

    assert [kept.method for kept in house.rows(Notification)] == [method]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_reading_method_is_answered_and_not_kept(house: House, method: str) -> None:
    path = notification_path(house)

    assert house.client.open(path, method=method).status_code == 200

    assert house.rows(Notification) == []


def test_a_body_over_the_limit_is_cut(house: House) -> None:
    path = notification_path(house)

    response = house.client.post(path, data=b"x" * 100_000)

    assert response.status_code == 200
    (kept,) = house.rows(Notification)
    assert (len(kept.body), kept.body_cut) == (65_536, "size")


def test_every_forged_token_gets_the_same_answer(house: House) -> None:
    path = notification_path(house)
    forged = [
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        path + "x",
        path.replace(".1.", ".2.", 1),
        "/notifications/x",
        "/notifications/" + "a" * 5000,
        "/notifications/a/b/c",
        "/notifications/%00%ff",
    ]

    answers = {
        (response.status_code, response.text, response.content_type)
        for method in ("POST", "GET", "DELETE")
        for one in forged
        for response in [house.client.open(one, method=method)]
    }

    assert answers == {(404, "Not found", "text/plain; charset=utf-8")}
    assert house.rows(Notification) == []


def test_a_forged_token_is_refused_without_the_database(house: House) -> None:
    house.parts.database.close()
    house.parts.database.engine.dispose()
    checked_out = house.parts.database.engine.pool.status()

    assert house.client.post("/notifications/forged").status_code == 404

    assert house.parts.database.engine.pool.status() == checked_out


def test_a_valid_token_without_a_row_is_kept(house: House) -> None:
    token = house.parts.keys.sign_token(intent=4711, attempt=1)

    assert house.client.post(f"/notifications/{token}").status_code == 200

    assert [kept.request_set_id for kept in house.rows(Notification)] == [4711]


def test_the_twenty_first_notification_on_a_token_moves_a_counter(house: House) -> None:
    path = notification_path(house)

    for number in range(25):
        assert house.client.post(path, data=str(number)).status_code == 200

    kept = house.rows(Notification)
    assert len(kept) == 20
    assert [one.repeats for one in kept] == [0] * 19 + [5]


def test_the_admin_api_shows_a_notification_exactly(house: House) -> None:
    path = notification_path(house)
    house.client.post(path, data=b"\x00\xff")

    (listed,) = house.get("/admin/api/notifications").get_json()["data"]
    shown = house.get(f"/admin/api/notifications/{listed['id']}").get_json()

    assert base64.b64decode(shown["body_base64"]) == b"\x00\xff"
    assert shown["body"] == "\x00\ufffd"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "NOTIFY"])
def test_a_method_that_nobody_foresaw_is_kept_like_the_others(house: House, method: str) -> None:
    path = notification_path(house)

    assert house.client.open(path, method=method, data=b"id=1").status_code == 200

    assert [(row.method, row.body) for row in house.rows(Notification)] == [(method, b"id=1")]
