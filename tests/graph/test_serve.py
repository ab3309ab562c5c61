from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.serve import (
    BadParameter,
    NewSet,
    decode_cursor,
    decode_json,
    encode_cursor,
    page_answer,
    parse_fields,
    parse_flag,
    parse_limit,
    parse_mode,
    parse_name,
    parse_new_set,
    parse_notification_uri,
    parse_statuses,
    read_parameters,
    select_fields,
)
from receiver.graph.vocabulary import REQUEST, REQUEST_SET

AD = {"name": "ad", "adset_id": "5"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_the_body_wins_over_the_query() -> None:
    query = [("a", "query"), ("b", "query")]
    assert read_parameters(query, form=[("b", "form")]) == {"a": "query", "b": "form"}
    assert read_parameters(query, json_body=b'{"b": [1]}') == {"a": "query", "b": [1]}
    assert read_parameters(query, json_body=b" ") == dict(query)


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b"[" * 99_999, b"1" * 9999])
def test_a_json_body_must_be_an_object(body: bytes) -> None:
    with pytest.raises(BadParameter) as raised:
        read_parameters([], json_body=body)
    assert raised.value.name == "body"


def test_json_may_come_as_itself_or_in_a_string() -> None:
    assert decode_json({"a": [1]}, "a") == [1]
    assert decode_json({"a": "[1]"}, "a") == [1]
    assert decode_json({}, "a") is None
    with pytest.raises(BadParameter):
        decode_json({"a": "["}, "a")


def test_fields_come_as_words_or_default() -> None:
    assert parse_fields(None, node=REQUEST_SET) == REQUEST_SET.default_fields
    assert parse_fields("", node=REQUEST_SET) == REQUEST_SET.default_fields
    assert parse_fields("status, id,status", node=REQUEST) == ("status", "id")
    assert parse_fields(["status"], node=REQUEST) == ("status",)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(BadParameter, match=r"\(colour\) on node type \(AdAsyncRequest\)"):
        parse_fields("id,colour", node=REQUEST)


def test_the_id_comes_along_and_what_is_absent_does_not() -> None:
    record = {"id": "1", "status": "SUCCESS", "result": None, "zero": 0}
    assert select_fields(record, ("status", "result", "zero")) == {
        "status": "SUCCESS",
        "zero": 0,
        "id": "1",
    }


def test_a_limit_is_clamped() -> None:
    assert [parse_limit(value) for value in (None, "", "7", 7, "99999")] == [25, 25, 7, 7, 500]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "٣", True, "9" * 99])
def test_a_limit_must_be_a_positive_number(value: object) -> None:
    with pytest.raises(BadParameter):
        parse_limit(value)


@given(st.integers(1, 10**18))
def test_a_cursor_keeps_its_position(position: int) -> None:
    assert decode_cursor({"after": encode_cursor(position)}, "after") == position


@given(JSON)
def test_a_strange_cursor_is_refused_or_absent(value: Any) -> None:
    with contextlib.suppress(BadParameter):
        position = decode_cursor({"after": value}, "after")
        assert position is None or position >= 1


def test_a_page_links_to_its_neighbours() -> None:
    answer = page_answer(
        [{"id": "1"}],
        first=3,
        last=4,
        has_next=True,
        has_previous=True,
        url="http://graph/1/requests",
        parameters={"limit": "2", "access_token": "a&b"},
    )
    cursors = answer["paging"]["cursors"]
    assert (decode_cursor(cursors, "before"), decode_cursor(cursors, "after")) == (3, 4)
    following = parse_qs(urlsplit(answer["paging"]["next"]).query)
    assert following == {"limit": ["2"], "access_token": ["a&b"], "after": [cursors["after"]]}
    previous = parse_qs(urlsplit(answer["paging"]["previous"]).query)
    assert previous["before"] == [cursors["before"]]


def test_the_only_page_has_cursors_and_no_links() -> None:
    answer = page_answer(
        [{}], first=1, last=1, has_next=False, has_previous=False, url="", parameters={}
    )
    assert list(answer["paging"]) == ["cursors"]


def test_an_empty_page_has_data_only() -> None:
    answer = page_answer(
        [], first=None, last=None, has_next=False, has_previous=False, url="", parameters={}
    )
    assert answer == {"data": []}


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (None, None),
        ("", None),
        ("1", True),
        ("True", True),
        (True, True),
        (0, False),
        ("false", False),
    ],
)
def test_a_flag_is_a_word_or_a_number(value: object, flag: object) -> None:
    assert parse_flag(value, name="is_completed") == flag


def test_a_flag_of_another_kind_is_refused() -> None:
    with pytest.raises(BadParameter, match="is_completed"):
        parse_flag("yes", name="is_completed")


@pytest.mark.parametrize(
    "parameters",
    [
        {"status": "success, ERROR"},
        {"status": '["Success", "ERROR"]'},
        {"status": ["Success", "ERROR"]},
        {"statuses": "SUCCESS,ERROR"},
        {"status": "", "statuses": '["SUCCESS","ERROR"]'},
    ],
)
def test_statuses_come_under_two_names_in_two_forms(parameters: dict[str, Any]) -> None:
    assert parse_statuses(parameters) == frozenset({"SUCCESS", "ERROR"})


def test_without_statuses_nothing_is_filtered() -> None:
    assert parse_statuses({}) is None


@pytest.mark.parametrize(
    "value", ["[", "[1]", {"a": 1}, 7, "a\0", "a,\ud800", ["\ud800"], "A," * 100]
)
def test_statuses_of_another_kind_are_refused(value: object) -> None:
    with pytest.raises(BadParameter):
        parse_statuses({"statuses": value})


def test_a_create_is_read_whole() -> None:
    parameters = {
        "name": "set",
        "ad_specs": [AD],
        "notification_mode": "1",
        "notification_uri": "https://host/hook?a=1",
    }
    assert parse_new_set(parameters) == NewSet("set", [AD], "https://host/hook?a=1", "ON_COMPLETE")


def test_a_create_without_a_mode_notifies_nobody() -> None:
    new = parse_new_set({"name": "set", "ad_specs": '[{"adset_id": "5"}]'})
    assert (new.notification_mode, new.notification_uri) == ("OFF", None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("name", {"name": ""}),
        ("name", {"name": None}),
        ("name", {"name": 7}),
        ("ad_specs", {"ad_specs": ""}),
        ("ad_specs", {"ad_specs": "null"}),
        ("ad_specs", {"ad_specs": {}}),
        ("ad_specs", {"ad_specs": []}),
        ("ad_specs", {"ad_specs": [AD] * 1001}),
        ("ad_specs", {"ad_specs": [AD, []]}),
        ("notification_mode", {"notification_mode": "LATER"}),
        ("notification_uri", {"notification_mode": "ON_COMPLETE"}),
        ("notification_uri", {"notification_uri": 7}),
    ],
)
def test_a_create_of_the_wrong_shape_is_refused_by_name(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadParameter) as raised:
        parse_new_set({"name": "set", "ad_specs": [AD], **wrong})
    assert raised.value.name == name


@pytest.mark.parametrize(
    "uri",
    [
        "host/hook",
        "ftp://host/",
        "http://",
        "http:///path",
        "http://[::1",
        "http://host:99999/",
        "http://host:0/",
        "http://host/a b",
        "http://host/\r\nHost: other",
        "javascript:alert(1)",
    ],
)
def test_a_uri_must_be_a_web_address(uri: str) -> None:
    with pytest.raises(BadParameter):
        parse_notification_uri({"notification_uri": uri})


@given(st.dictionaries(st.sampled_from(["name", "ad_specs", "notification_uri"]), JSON))
def test_a_strange_create_is_refused_or_right(parameters: dict[str, Any]) -> None:
    with contextlib.suppress(BadParameter):
        new = parse_new_set(parameters)
        assert new.name
        assert all(isinstance(spec, dict) for spec in new.ad_specs)


def test_a_change_names_only_what_changes() -> None:
    assert parse_mode({}) is None
    assert parse_notification_uri({}) is None
    assert parse_name({"name": "new"}) == "new"


def test_a_cursor_beyond_every_id_is_refused() -> None:
    with pytest.raises(BadParameter, match="cursors"):
        decode_cursor({"after": encode_cursor(2**63)}, "after")


@pytest.mark.parametrize("fields", ["id,name,", ",id,,name", ["id", "", "name"]])
def test_an_empty_word_among_the_fields_is_passed_over(fields: object) -> None:
    assert parse_fields(fields, node=REQUEST_SET) == ("id", "name")


@pytest.mark.parametrize("fields", [",", " , ", []])
def test_fields_without_a_word_are_the_defaults(fields: object) -> None:
    assert parse_fields(fields, node=REQUEST_SET) == REQUEST_SET.default_fields


@pytest.mark.parametrize("number", ["1e400", "-1e400", "Infinity"])
def test_a_number_that_no_json_can_hold_is_refused(number: str) -> None:
    text = f'[{{"bid_amount": {number}}}]'
    with pytest.raises(BadParameter, match="ad_specs must be valid JSON"):
        decode_json({"ad_specs": text}, "ad_specs")
    with pytest.raises(BadParameter, match="ad_specs must be valid JSON"):
        parse_new_set({"name": "set", "ad_specs": text})
