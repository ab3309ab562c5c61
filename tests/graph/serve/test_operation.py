from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.serve import BadOperation, Operation, parse_adbatch_body, parse_form, split_url
from receiver.graph.serve.operation import parse_headers, parse_operation
from tests.support.json_strategies import json_values


def read(**entry: Any) -> Operation:
    operation = parse_operation({"relative_url": "me", **entry})
    assert isinstance(operation, Operation)
    return operation


def test_an_operation_of_the_page_is_read_whole() -> None:
    assert read(
        method="post",
        name="create_creative",
        relative_url="v21.0/act_187687683/adcreatives?redownload=1",
        attached_files="test1, test2",
        body="name=sample+creative&&spec={result=create_adimage:$.images.*.hash}",
        headers=['If-None-Match: "a:b"'],
        depends_on="first",
        omit_response_on_success=False,
        access_token="token",
    ) == Operation(
        method="POST",
        path="v21.0/act_187687683/adcreatives",
        query=(("redownload", "1"),),
        form=(("name", "sample creative"), ("spec", "{result=create_adimage:$.images.*.hash}")),
        headers={"if-none-match": '"a:b"'},
        name="create_creative",
        needs=("first", "create_adimage"),
        omit_response_on_success=False,
        attached_files=("test1", "test2"),
        access_token="token",
    )


def test_an_operation_is_a_get_unless_it_says_otherwise() -> None:
    assert read() == Operation("GET", "me")


@pytest.mark.parametrize(
    "url",
    [
        "act_1/ads?adset_ids=[6003356307839, 6004164259439]&fields=id",
        "act_1/ads&adset_ids=%5B6003356307839%2C+6004164259439%5D&fields=id",
        "https://graph.facebook.com/act_1/ads?adset_ids=[6003356307839, 6004164259439]&&fields=id",
    ],
)
def test_a_relative_url_may_be_written_in_many_ways(url: str) -> None:
    path, query = split_url(url)
    assert path.strip("/") == "act_1/ads"
    assert query == (("adset_ids", "[6003356307839, 6004164259439]"), ("fields", "id"))


def test_a_reference_may_be_percent_encoded_in_url_and_body() -> None:
    operation = read(
        method="POST",
        relative_url="%7Bresult%3Da%3A%24.id%7D/ads?x=%7Bresult%3Db%3A%24.id%7D",
        body="y=%7Bresult%3Dc%3A%24.id%7D",
    )
    assert operation.needs == ("a", "b", "c")
    assert operation.path == "{result=a:$.id}/ads"


@pytest.mark.parametrize(
    "headers",
    [
        ["If-None-Match: x", "Accept:y"],
        [{"name": "If-None-Match", "value": "x"}, {"name": "accept", "value": "y"}],
        {"if-none-match": "x", "Accept": "y"},
    ],
)
def test_headers_come_as_texts_objects_or_a_map(headers: Any) -> None:
    assert parse_headers(headers) == {"if-none-match": "x", "accept": "y"}


@pytest.mark.parametrize("files", ["a,b", ["a", "b"], {"a": 1, "b": 2}])
def test_attached_files_come_as_a_text_a_list_or_an_object(files: Any) -> None:
    assert read(attached_files=files).attached_files == ("a", "b")
    assert read(attachedFiles=files).attached_files == ("a", "b")


def test_a_body_may_be_an_object() -> None:
    body = {"name": "a&b", "targeting": {"countries": ["US"]}, "on": True}
    assert read(method="POST", body=body).form == (
        ("name", "a&b"),
        ("targeting", '{"countries": ["US"]}'),
        ("on", "true"),
    )


@pytest.mark.parametrize(
    "entry", [None, 5, "GET me", [], {}, {"method": "NIX", "relative_url": "me"}]
)
def test_what_is_no_operation_says_so(entry: Any) -> None:
    assert isinstance(parse_operation(entry), BadOperation)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("name=First+Ad%20Set&a=%7B%7D", (("name", "First Ad Set"), ("a", "{}"))),
        ("name%3DFirst%2BAd%2BSet%20Test%26a%3D1", (("name", "First Ad Set Test"), ("a", "1"))),
        ("name%3DTest+Campaign%26a%3d%7B%7D", (("name", "Test Campaign"), ("a", "{}"))),
        ({"name": "First Ad"}, (("name", "First Ad"),)),
        ("a%2Bb=c%3Dd", (("a+b", "c=d"),)),
    ],
)
def test_the_body_of_an_async_operation_comes_in_both_encodings(body: Any, pairs: Any) -> None:
    assert parse_adbatch_body(body) == pairs


KEYS = st.sampled_from(["method", "relative_url", "body", "headers", "name", "depends_on"])


@given(json_values(keys=KEYS | st.text(max_size=3), max_size=6))
def test_any_entry_is_read_or_refused(entry: Any) -> None:
    assert isinstance(parse_operation(entry), (Operation, BadOperation))


def test_empty_parts_of_a_form_are_passed_over() -> None:
    assert parse_form("a=1&&b=&c") == (("a", "1"), ("b", ""), ("c", ""))
