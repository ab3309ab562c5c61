"""What is not ours goes to Facebook as its caller made it, and comes back without its secrets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from receiver.graph.tokens import appsecret_proof
from receiver.store import accounts
from tests.support.databases import fresh_database_url
from tests.support.house import ACCOUNT, PUBLIC_URL, TOKEN, House, open_house
from tests.support.lying_server import LyingServer, answering, http_answer, lying_server

ACT = f"/act_{ACCOUNT}"
JSON = {"Content-Type": "application/json; charset=UTF-8"}


def post(house: House, path: str, **data: Any) -> TestResponse:
    return house.client.post(path, data={"access_token": house.key, **data})


@contextmanager
def before_a_liar(
    house: House, *answers: bytes, app_secret: str | None = None
) -> Iterator[LyingServer]:
    """Let the house's Facebook answer these bytes, one after the other."""
    with lying_server(answering(*answers)) as server:
        other = house.with_facebook_at(server.url)
        if app_secret is not None:
            with house.parts.database.writing() as session:
                accounts.put_accounts(
                    session,
                    [ACCOUNT],
                    sealed_token=house.parts.keys.seal(TOKEN),
                    sealed_app_secret=house.parts.keys.seal(app_secret),
                    now=house.parts.now(),
                )
        with other:
            yield server


def answer(value: Any, **headers: str) -> bytes:
    return http_answer(json.dumps(value).encode(), headers={**JSON, **headers})


def test_an_object_is_created_read_updated_and_deleted(house: House) -> None:
    made = post(house, f"/v21.0{ACT}/campaigns", name="c", objective="LINK_CLICKS").get_json()
    path = f"/v21.0/{made['id']}"
    assert house.get(path, fields="name").get_json() == {"name": "c", "id": made["id"]}
    assert post(house, path, name="d").get_json() == {"success": True}
    assert house.get(path, fields="name").get_json()["name"] == "d"
    deleted = house.client.delete(path, query_string={"access_token": house.key})
    assert deleted.get_json() == {"success": True}
    assert house.get(path).status_code == 400


def test_paths_come_as_sdks_write_them(house: House) -> None:
    made = post(house, f"/v21.0/{ACT}//campaigns/", name="c", objective="LINK_CLICKS").get_json()
    for path in (f"/v26.0//{made['id']}/", f"/{made['id']}"):
        assert house.get(path, fields='["name"]').get_json()["name"] == "c"
    assert house.get("/v26.0//", ids=made["id"], fields="name").get_json()[made["id"]]
    assert post(house, f"/{made['id']}", method="DELETE").get_json() == {"success": True}


def test_what_comes_back_keeps_its_status_and_the_headers_that_matter(house: House) -> None:
    response = house.get(f"/v21.0{ACT}/campaigns", nonsense="1")
    assert response.headers["facebook-api-version"] == "v21.0"
    assert "x-ad-account-usage" in response.headers
    assert response.headers["X-Receiver-Source"] == "graph"
    refused = house.get(f"/v21.0{ACT}", fields="nonsense")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, 100)


def test_pages_are_walked_through_us_with_the_callers_key(house: House) -> None:
    for number in range(3):
        post(house, f"{ACT}/campaigns", name=f"c{number}", objective="LINK_CLICKS")
    page = house.client.get(f"{ACT}/campaigns?limit=2&access_token={house.key}").get_json()
    link = page["paging"]["next"]
    assert link.startswith(f"{PUBLIC_URL}/")
    assert f"access_token={house.key}" in link
    assert len(house.client.get(link.removeprefix(PUBLIC_URL)).get_json()["data"]) == 1
    by_header = house.get(f"{ACT}/campaigns", limit="2").get_json()["paging"]["next"]
    assert "access_token" not in by_header


def test_an_etag_of_facebooks_is_compared_there(house: House) -> None:
    key = {"Authorization": f"Bearer {house.key}"}
    tag = house.get(ACT).headers["ETag"]
    again = house.client.get(ACT, headers={**key, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_head_is_a_read_without_a_body(house: House) -> None:
    response = house.client.head(ACT, headers={"Authorization": f"Bearer {house.key}"})
    assert (response.status_code, response.data) == (200, b"")


def test_nothing_that_names_the_caller_reaches_facebook(house: House) -> None:
    with before_a_liar(house, answer({"id": "1"}), app_secret="the-apps-secret") as server:
        house.client.post(
            f"{ACT}/campaigns?access_token={house.key}&appsecret_proof=00&appsecret_time=1",
            json={"access_token": house.key, "name": "c"},
        )
        (request,) = server.requests
    assert house.key.encode() not in request
    assert f"Bearer {TOKEN}".encode() in request
    assert f"appsecret_proof={appsecret_proof(TOKEN, 'the-apps-secret')}".encode() in request
    assert request.count(b"appsecret") == 1
    assert b"the-apps-secret" not in request


def test_json_is_passed_on_as_it_came(house: House) -> None:
    body = b'{"name": "c", "big": 123456789012345678901234567890, "exact": 1.10}'
    with before_a_liar(house, answer({"id": "1"})) as server:
        house.client.post(
            f"{ACT}/campaigns",
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {house.key}"},
        )
        assert server.requests[0].endswith(body)


def test_numbers_and_formatting_come_back_as_facebook_wrote_them(house: House) -> None:
    body = b'{ "a" : 1.10,\n "b":123456789012345678901234567890 }'
    with before_a_liar(house, http_answer(body, headers=JSON)):
        assert house.get(ACT).data == body


@pytest.mark.parametrize(
    "written", [TOKEN, quote(TOKEN, safe=""), json.dumps(TOKEN)[1:-1].replace("/", "\\/")]
)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/plain"])
def test_the_token_comes_back_in_no_body_and_no_header(
    house: House, written: str, kind: str
) -> None:
    body = f'{{"error": {{"message": "bad token {written}", "code": 100}}}}'
    headers = {"Content-Type": kind, "X-FB-Debug": written, "Location": f"https://x/?t={written}"}
    with before_a_liar(house, http_answer(body.encode(), status=400, headers=headers)):
        response = house.get(ACT)
    assert response.status_code == 400
    for place in (response.text, str(response.headers)):
        assert written not in place
        assert TOKEN not in place


def test_a_compressed_answer_is_searched_too(house: House) -> None:
    body = gzip.compress(json.dumps({"a": TOKEN}).encode())
    headers = {**JSON, "Content-Encoding": "gzip"}
    with before_a_liar(house, http_answer(body, headers=headers)):
        response = house.get(ACT)
    assert response.get_json() == {"a": "(hidden)"}
    assert "Content-Encoding" not in response.headers


def test_an_answer_that_cannot_be_decoded_is_no_answer(house: House) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    with before_a_liar(house, http_answer(b"no gzip", headers=headers)):
        read = house.get(ACT)
        written = post(house, f"{ACT}/campaigns", name="c")
    assert (read.status_code, read.get_json()["error"]["code"]) == (503, 2)
    assert (written.status_code, written.get_json()["error"]["code"]) == (409, 409)


def test_ten_mebibytes_come_back_whole(house: House) -> None:
    body = json.dumps({"data": "x" * (10 * 1024 * 1024)}).encode()
    with before_a_liar(house, http_answer(body, headers=JSON)):
        assert house.get(ACT).data == body


def test_other_content_comes_as_it_is(house: House) -> None:
    picture = bytes(range(256)) * 4000
    headers = {"Content-Type": "image/png"}
    with before_a_liar(house, http_answer(picture, headers=headers)):
        response = house.get(f"{ACT}/picture")
        assert response.data == picture
    assert response.content_type == "image/png"


def test_a_picture_that_is_being_read_holds_its_slot(house: House) -> None:
    headers = {"Content-Type": "image/png"}
    with before_a_liar(house, http_answer(b"x" * 300_000, headers=headers)):
        reading = [
            house.client.get(f"{ACT}/picture?access_token={house.key}", buffered=False)
            for _ in range(8)
        ]
        assert house.get(f"{ACT}/picture").status_code == 503
        for response in reading:
            assert len(response.data) == 300_000
            response.close()
        assert house.get(f"{ACT}/picture").status_code == 200


def test_a_redirect_is_given_and_not_followed(house: House) -> None:
    headers = {**JSON, "Location": f"https://cdn.example/?access_token={TOKEN}&a=1"}
    with before_a_liar(house, http_answer(b"", status=302, headers=headers)) as server:
        response = house.get(f"{ACT}/picture")
        assert len(server.requests) == 1
    assert (response.status_code, response.headers["Location"]) == (302, "https://cdn.example/?a=1")


def test_a_write_without_an_answer_is_told_so_and_sent_once(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST", path="campaigns$")
    response = post(house, f"{ACT}/campaigns", name="c", objective="LINK_CLICKS")
    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (409, 409, False)
    assert len(house.get(f"{ACT}/campaigns").get_json()["data"]) == 1


def test_a_read_is_tried_again_where_no_answer_came(house: House) -> None:
    house.sandbox.trouble("reset", method="GET")
    assert house.get(ACT).status_code == 200


def test_a_facebook_that_cannot_be_reached_may_be_asked_again(house: House) -> None:
    with house.with_facebook_at("http://127.0.0.1:9"):
        response = post(house, f"{ACT}/campaigns", name="c")
    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (503, 2, True)


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"<html>", b"null", b"[1", b"x" * 100_000])
def test_an_answer_of_any_bytes_comes_back(house: House, body: bytes) -> None:
    with before_a_liar(house, http_answer(body, headers=JSON)):
        assert house.get(ACT).data == body


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(house: House) -> None:
    big = "x" * (10 * 1024 * 1024 - 4096)
    assert post(house, f"{ACT}/campaigns", name=big, objective="LINK_CLICKS").status_code == 200
    response = post(house, f"{ACT}/campaigns", name=big + "x" * 8192, objective="LINK_CLICKS")
    assert (response.status_code, response.get_json()["error"]["code"]) == (413, 100)


def test_a_crash_report_of_the_sdk_is_taken_and_goes_nowhere(house: House) -> None:
    before = len(house.sandbox.calls()["calls"])
    response = house.client.post("/v26.0/123/instruments", data={"bizsdk_crash_report": "{}"})
    assert response.get_json() == {"success": True}
    assert len(house.sandbox.calls()["calls"]) == before


def test_settings_may_limit_how_large_an_answer_is_taken(tmp_path: Any) -> None:
    picture = b"x" * 200_000
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        open_house(url, upload_limit_bytes=100_000) as house,
        before_a_liar(house, http_answer(picture, headers={"Content-Type": "image/png"})),
        pytest.raises(Exception, match="too long"),
    ):
        house.client.get(
            f"{ACT}/picture", headers={"Authorization": f"Bearer {house.key}"}, buffered=True
        )
