from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph import wire
from receiver.graph.answers import read_answer, read_as
from receiver.graph.errors import Advice, CallFailed, GraphError, UnreadableAnswer
from tests.support.json_strategies import STANDARD_SCALARS, json_values
from tests.support.samples import sample


def refusal(body: bytes, *, http_status: int = 400, **headers: str) -> GraphError:
    with pytest.raises(GraphError) as caught:
        read_answer(http_status, {key.replace("_", "-"): headers[key] for key in headers}, body)
    return caught.value


def unreadable(body: bytes, *, http_status: int = 200) -> UnreadableAnswer:
    with pytest.raises(UnreadableAnswer) as caught:
        read_answer(http_status, {}, body)
    return caught.value


def test_a_good_answer_is_its_json() -> None:
    assert read_answer(200, {}, sample("set.json"))["name"] == "testasyncset"


@pytest.mark.parametrize("body", [b"true", b"[]", b"null", b'{"success":true}', b'{"error":null}'])
def test_any_json_without_an_error_is_an_answer(body: bytes) -> None:
    assert read_answer(200, {}, body) == orjson.loads(body)


def test_an_error_keeps_everything_that_facebook_said() -> None:
    body = sample("rate_limited.json")
    error = refusal(body)
    assert (error.code, error.subcode, error.http_status) == (80004, 2446079, 400)
    assert error.type == "OAuthException"
    assert error.fbtrace_id == "AbC123"
    assert (error.user_title, error.user_message) == ("Too many calls", "Wait a bit and try again.")
    assert error.body == body
    assert error.advice is Advice.WAIT


def test_an_expired_token_keeps_the_header_that_says_so() -> None:
    value = 'OAuth "Facebook Platform" "invalid_token" "Session has expired"'
    error = refusal(sample("token_expired.json"), WWW_Authenticate=value)
    assert error.www_authenticate == value
    assert error.advice is Advice.ASK_A_PERSON


def test_a_bare_500_is_an_error_too() -> None:
    error = refusal(sample("bare_500.json"), http_status=500)
    assert (error.code, error.type, error.advice) == (1, None, Advice.RETRY)


def test_an_error_in_a_200_is_an_error() -> None:
    assert refusal(b'{"error":{"code":"190"}}', http_status=200).code == 190


@pytest.mark.parametrize("value", [b"true", b"1", b'"true"'])
def test_a_transient_error_says_so_in_many_ways(value: bytes) -> None:
    assert refusal(b'{"error":{"code":5,"is_transient":' + value + b"}}").is_transient


@pytest.mark.parametrize(
    "error", [b'"a text"', b"[]", b"{}", b"false", b'{"code":"x","message":[]}', b"7"]
)
def test_an_error_of_any_shape_is_an_error_without_a_code(error: bytes) -> None:
    assert refusal(b'{"error":' + error + b"}").code is None


def test_no_success_is_an_error_without_a_code() -> None:
    assert refusal(b'{"success":false}', http_status=200).code is None


def test_an_errors_texts_can_be_stored_anywhere() -> None:
    error = refusal(rb'{"error":{"code":1,"message":"a\u0000\ud800b"}}')
    assert error.message == "a\ufffd\ufffdb"


def test_html_is_unreadable_and_shows_how_it_begins() -> None:
    error = unreadable(sample("bad_gateway.html"), http_status=502)
    assert (error.http_status, error.is_server_error) == (502, True)
    assert error.first_bytes.startswith(b"<!DOCTYPE html>")
    assert str(error) == "The answer is no JSON (HTTP 502)"


@pytest.mark.parametrize("body", [b"", b" ", b"\xff\xfe", b'{"id":"1', b"[" * 3000])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    assert unreadable(body).first_bytes == body[:200]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"true", b'{"id":"1"}'])
@pytest.mark.parametrize("http_status", [400, 404, 500])
def test_a_failing_status_without_an_error_is_unreadable(body: bytes, http_status: int) -> None:
    assert unreadable(body, http_status=http_status).http_status == http_status


@pytest.mark.parametrize("http_status", [301, 302, 304, 307, 308])
def test_a_redirect_is_unreadable_whatever_it_says(http_status: int) -> None:
    assert "redirect" in str(unreadable(b'{"id":"1"}', http_status=http_status))


def test_json_without_what_was_asked_for_is_unreadable() -> None:
    with pytest.raises(UnreadableAnswer, match=r"no usable id \(HTTP 200\)") as caught:
        read_as(wire.read_created_id, http_status=200, headers={}, body=b'{"name":"x"}')
    assert caught.value.first_bytes == b'{"name":"x"}'


def test_a_created_id_is_read() -> None:
    assert read_as(wire.read_created_id, http_status=200, headers={}, body=b'{"id":"12"}') == 12


READERS = (
    wire.read_created_id,
    wire.read_set_node,
    wire.read_request_node,
    wire.read_requests_page,
    wire.read_sets_page,
)
FIELDS = st.sampled_from(
    (
        *wire.SET_FIELDS,
        *wire.REQUEST_FIELDS,
        "data",
        "paging",
        "next",
        "cursors",
        "after",
        "error",
        "success",
        "code",
        "error_code",
        "error_message",
        "message",
    )
)
WORDS = st.sampled_from(["1", "SUCCESS", "http://[", "https://x/?after=abc"])
BODIES = json_values(STANDARD_SCALARS | WORDS, keys=FIELDS, max_size=6).map(orjson.dumps)


@given(
    reader=st.sampled_from(READERS),
    http_status=st.sampled_from([200, 302, 400, 500]),
    body=st.binary() | BODIES,
)
def test_whatever_comes_is_a_value_or_a_failed_call(
    reader: Any, http_status: int, body: bytes
) -> None:
    try:
        read_as(reader, http_status=http_status, headers={}, body=body)
    except CallFailed as error:
        assert str(error)  # noqa: PT017  # most bodies fail, and those that do not are as good


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("depth", [900, 1000, 1020, 5000])
def test_however_deep_it_is_nested_it_is_a_value_or_a_failed_call(reader: Any, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    node = b'{"id":"1","status":"ERROR","result":' + deep + b',"notification_result":' + deep + b"}"
    for body in (node, b'{"data":[' + node + b"]}"):
        try:
            read_as(reader, http_status=200, headers={}, body=body)
        except UnreadableAnswer as error:
            assert error.first_bytes  # noqa: PT017  # see above
