from __future__ import annotations

from typing import Any

import pytest

from receiver.graph.serve import (
    BadParameter,
    decode_json,
    parse_flag,
    parse_ids,
    parse_statuses,
    read_parameters,
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


@pytest.mark.parametrize("number", ["1e400", "-1e400", "Infinity"])
def test_a_number_that_no_json_can_hold_is_refused(number: str) -> None:
    text = f'[{{"bid_amount": {number}}}]'
    with pytest.raises(BadParameter, match="ad_specs must be valid JSON"):
        decode_json({"ad_specs": text}, "ad_specs")


def test_json_is_read_leniently_where_the_page_is_no_json() -> None:
    pasted = {"filtering": "[{field:ad.id,operator:'IN',value:[6003356308839],}]"}
    assert decode_json(pasted, "filtering", lenient=True) == [
        {"field": "ad.id", "operator": "IN", "value": [6003356308839]}
    ]
    with pytest.raises(BadParameter):
        decode_json(pasted, "filtering")
    with pytest.raises(BadParameter):
        decode_json({"filtering": "[{"}, "filtering", lenient=True)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("1,2", ("1", "2")),
        (" 2 , 1,,2", ("2", "1")),
        ("[1, '2']", ("1", "2")),
        ([1, "2"], ("1", "2")),
        (7, ("7",)),
        ("[1", ("[1",)),
        ("", ()),
        (None, ()),
    ],
)
def test_ids_are_named_once_each_and_in_order(value: object, ids: tuple[str, ...]) -> None:
    assert parse_ids(value) == ids
