"""Creating a set through the gateway: what Facebook gets, what the caller gets, what is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from receiver.graph.serve import BadParameter
from receiver.store.models import Credential, RequestSet, Submission
from receiver.web.gateway.own.new_intent import read_creation
from tests.support.house import ACCOUNT, PUBLIC_URL, House, ad

CREATE = f"/v21.0/act_{ACCOUNT}/asyncadrequestsets"
SPECS = json.dumps([ad("one")])


def post(house: House, path: str = CREATE, **arguments: Any) -> Any:
    return house.client.post(path, headers={"Authorization": f"Bearer {house.key}"}, **arguments)


def nothing_was_written(house: House) -> bool:
    return not house.rows(RequestSet) and not house.rows(Submission) and not house.sandbox.ledger()


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": {"name": "A", "ad_specs": SPECS}},
        {"data": {"name": "A", "ad_specs": SPECS}, "content_type": "multipart/form-data"},
        {"json": {"name": "A", "ad_specs": json.loads(SPECS)}},
        {"json": {"name": "A", "ad_specs": SPECS}},
        {"query_string": {"name": "A", "ad_specs": SPECS}},
    ],
    ids=["form", "multipart", "json", "json in json", "query"],
)
def test_a_set_is_created_in_each_encoding(house: House, arguments: dict[str, Any]) -> None:
    response = post(house, **arguments)

    (entry,) = house.sandbox.ledger()
    assert (response.status_code, response.get_json()) == (200, {"id": entry["id"]})
    assert response.headers["X-Receiver-Source"] == "graph"
    assert response.headers["X-Receiver-Set"] == str(house.the_set().id)


@pytest.mark.parametrize("version", ["/v21.0", "/v3.0", "/v99.9", ""])
def test_any_version_or_none_is_taken(house: House, version: str) -> None:
    path = f"{version}/act_{ACCOUNT}/asyncadrequestsets"

    assert post(house, path, data={"name": "A", "ad_specs": SPECS}).status_code == 200


def test_facebook_gets_our_uri_our_mode_and_the_tag(house: House) -> None:
    house.create_open(
        notification_uri="https://caller.example/hook", notification_mode="OFF", name="Täst"
    )

    (entry,) = house.sandbox.ledger()
    assert entry["notification_mode"] == "ON_COMPLETE"
    token = house.parts.keys.token_in_uri(entry["notification_uri"])
    tag = house.parts.keys.parse_tag(entry["name"])
    assert entry["notification_uri"].startswith(f"{PUBLIC_URL}/notifications/")
    assert token is not None
    assert tag is not None
    assert (token.intent, token.attempt) == (tag.intent, tag.attempt) == (house.the_set().id, 1)
    assert house.parts.keys.remove_tag(entry["name"]) == "Täst"


def test_the_callers_own_uri_and_mode_are_kept_and_shown(house: House) -> None:
    set_id = house.create_open(
        notification_uri="https://caller.example/hook?x=1", notification_mode="1", name="Mine"
    )

    shown = house.get(f"/{set_id}", fields="name,notification_uri,notification_mode").get_json()

    assert shown == {
        "id": set_id,
        "name": "Mine",
        "notification_uri": "https://caller.example/hook?x=1",
        "notification_mode": "ON_COMPLETE",
    }


def test_facebooks_refusal_is_given_as_it_came(house: House) -> None:
    house.sandbox.trouble("graph_error", method="POST", code=100, subcode=1487, count=1)

    response = house.create()

    assert response.status_code == 400
    assert response.get_json()["error"]["code"] == 100
    row = house.the_set()
    assert (row.state, row.error_http_status, row.error_body) == ("rejected", 400, response.data)
    assert row.look_at is None


@pytest.mark.parametrize("kind", ["commit_then_drop", "not_json", "no_id", "http_error", "cut"])
def test_an_outcome_that_is_not_known_is_told_so_and_not_repeated(house: House, kind: str) -> None:
    house.sandbox.trouble(kind, method="POST", count=1)

    response = house.create()

    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (409, 409, False)
    assert "Do not send it again" in error["message"]
    assert house.the_set().state == "unknown"
    assert house.the_set().look_at is not None
    creates = [call for call in house.sandbox.calls()["calls"] if call["method"] == "POST"]
    assert len(creates) == 1


@pytest.mark.parametrize(
    ("parameters", "code", "field"),
    [
        ({"name": None}, 100, "name"),
        ({"name": ""}, 100, "name"),
        ({"name": "A\0B"}, 100, "name"),
        ({"ad_specs": None}, 100, "ad_specs"),
        ({"ad_specs": ""}, 100, "ad_specs"),
        ({"ad_specs": "no json"}, 100, "ad_specs"),
        ({"ad_specs": "[" * 100_000}, 100, "ad_specs"),
        ({"ad_specs": "[NaN]"}, 100, "ad_specs"),
        ({"ad_specs": "{}"}, 100, "ad_specs"),
        ({"ad_specs": "[]"}, 100, "ad_specs"),
        ({"ad_specs": "[1]"}, 100, "ad_specs[0]"),
        ({"ad_specs": json.dumps([ad("x")] * 1001)}, 100, "ad_specs"),
        ({"ad_specs": '[{}, {"name": ["\\u0000"]}]'}, 100, "ad_specs[1]"),
        ({"ad_specs": '[{"\\ud800": 1}]'}, 100, "ad_specs[0]"),
        ({"notification_mode": "SOMETIMES"}, 100, "notification_mode"),
        ({"notification_mode": "ON_COMPLETE"}, 100, "notification_uri"),
        ({"notification_uri": "ftp://x/y"}, 100, "notification_uri"),
        ({"notification_uri": "https://"}, 100, "notification_uri"),
        ({"notification_uri": "http://[::1"}, 100, "notification_uri"),
        ({"notification_uri": "http://x:99999/"}, 100, "notification_uri"),
    ],
)
def test_bad_input_names_the_field_and_writes_nothing(
    house: House, parameters: dict[str, Any], code: int, field: str
) -> None:
    form = {"name": "A", "ad_specs": SPECS, **parameters}

    response = post(house, data={name: value for name, value in form.items() if value is not None})

    error = response.get_json()["error"]
    assert (response.status_code, error["code"]) == (400, code)
    assert field in error["message"]
    assert nothing_was_written(house)


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"{", b'{"name": 7, "ad_specs": [{}]}', b'{"name": "\\ud800", "ad_specs": [{}]}'],
)
def test_a_bad_json_body_is_refused(house: House, body: bytes) -> None:
    response = post(house, data=body, content_type="application/json")

    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 100)
    assert nothing_was_written(house)


def test_a_body_over_the_limit_is_refused(house: House) -> None:
    response = post(house, data={"name": "A", "ad_specs": "x" * (10 * 1024 * 1024)})

    assert (response.status_code, response.get_json()["error"]["code"]) == (413, 100)
    assert nothing_was_written(house)


def test_a_body_just_under_the_limit_is_taken(house: House) -> None:
    specs = json.dumps([ad("x", padding="x" * 1_000_000)] * 10)

    assert post(house, data={"name": "A", "ad_specs": specs}).status_code == 200


def test_an_account_that_the_key_may_not_use_is_refused(house: House) -> None:
    response = post(house, "/v21.0/act_5/asyncadrequestsets", data={"name": "A", "ad_specs": SPECS})

    assert (response.status_code, response.get_json()["error"]["code"]) == (403, 200)
    assert "act_5" in response.get_json()["error"]["message"]
    assert nothing_was_written(house)


@pytest.mark.parametrize("key", ["wrong", "rcv_" + "x" * 43, "\u00e4"])
def test_a_wrong_key_is_refused(house: House, key: str) -> None:
    response = house.client.post(CREATE, data={"name": "A", "ad_specs": SPECS, "access_token": key})

    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 190)
    assert "invalid_token" in response.headers["WWW-Authenticate"]
    assert nothing_was_written(house)


def test_a_call_without_a_key_is_told_to_bring_one(house: House) -> None:
    response = house.client.post(CREATE, data={"name": "A", "ad_specs": SPECS})

    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 2500)
    assert nothing_was_written(house)


@pytest.mark.parametrize("place", ["query", "form", "Bearer", "OAuth"])
def test_a_key_is_taken_wherever_a_client_puts_its_token(house: House, place: str) -> None:
    form = {"name": "A", "ad_specs": SPECS}
    arguments: dict[str, Any] = {"data": form}
    if place == "query":
        arguments["query_string"] = {"access_token": house.key}
    elif place == "form":
        form["access_token"] = house.key
    else:
        arguments["headers"] = {"Authorization": f"{place} {house.key}"}

    assert house.client.post(CREATE, **arguments).status_code == 200


def test_a_path_that_graph_does_not_know_is_a_graph_error(house: House) -> None:
    response = house.get("/v21.0/search/x/y/z")

    assert (response.status_code, response.get_json()["error"]["code"]) == (400, 2500)
    assert response.headers["X-Receiver-Source"] == "graph"


@pytest.mark.parametrize("method", ["PATCH", "TRACE"])
def test_a_method_that_graph_does_not_know_is_a_graph_error(house: House, method: str) -> None:
    response = house.client.open(CREATE, method=method)

    assert response.status_code == 405
    assert "error" in response.get_json()


def test_a_form_of_very_many_parts_is_told_what_is_wrong_with_it(house: House) -> None:
    parts = {f"part-{number}": "x" for number in range(1200)}

    response = post(house, data=parts, content_type="multipart/form-data")

    assert (response.status_code, response.get_json()["error"]["code"]) == (413, 100)
    assert "1000 parts" in response.get_json()["error"]["message"]


def test_a_credential_that_does_not_open_is_no_passing_trouble(house: House) -> None:
    with house.parts.database.writing() as session:
        session.execute(update(Credential).values(sealed_token=b"garbage"))

    response = post(house, data={"name": "A", "ad_specs": SPECS})

    error = response.get_json()["error"]
    assert (response.status_code, error["is_transient"]) == (500, False)
    assert nothing_was_written(house)


def nested(depth: int) -> str:
    return f'[{{"x": {"[" * (depth - 2)}{"]" * (depth - 2)}}}]'


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("body", b'{"name": "A", "ad_specs": [{"x": 1e400}]}'),
        ("ad_specs", b'{"name": "A", "ad_specs": "[{\\"x\\": 1e400}]"}'),
        ("ad_specs", b'{"name": "A", "ad_specs": "[{\\"x\\": \\"\\ud800\\", \\"x\\": 1}]"}'),
        ("ad_specs", f'{{"name": "A", "ad_specs": {nested(102)}}}'.encode()),
    ],
    ids=["infinite", "infinite in a text", "half a pair under a doubled key", "deep"],
)
def test_specs_that_cannot_be_kept_or_sent_are_refused(
    house: House, name: str, body: bytes
) -> None:
    response = post(house, data=body, content_type="application/json")

    error = response.get_json()["error"]
    assert (response.status_code, error["code"]) == (400, 100)
    assert name in error["message"]
    assert nothing_was_written(house)


def test_specs_that_are_deep_are_taken(house: House) -> None:
    assert post(house, data={"name": "A", "ad_specs": nested(60)}).status_code == 200


def test_a_spec_may_be_a_hundred_levels_deep() -> None:
    read_creation({"name": "A", "ad_specs": nested(101)})
    with pytest.raises(BadParameter, match=r"ad_specs\[0\] is nested more than 100 levels deep"):
        read_creation({"name": "A", "ad_specs": nested(102)})
