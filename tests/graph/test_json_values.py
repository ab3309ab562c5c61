from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.json_values import (
    clean_text,
    json_bytes,
    parse_json,
    read_count,
    read_flag,
    read_id,
    read_integer,
    read_text,
)
from tests.support.json_strategies import STANDARD_SCALARS, json_values


@given(json_values(STANDARD_SCALARS, max_size=6))
def test_a_value_survives_being_written_and_parsed(value: Any) -> None:
    written = json_bytes(value)
    assert written.isascii()
    assert json.loads(written) == value
    assert parse_json(written) == value


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_text_with_any_character_survives_as_escapes(text: str) -> None:
    assert parse_json(json_bytes(text)) == json.loads(json.dumps(text))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'"\ud800"', "\ud800"),
        (rb'"\u0000"', "\x00"),
        (b'"\xff"', "\ufffd"),
        (b"\xef\xbb\xbf1", 1),
        (b"[NaN,-Infinity,1e999]", ["NaN", "-Infinity", "1e999"]),
    ],
)
def test_what_orjson_refuses_is_read_all_the_same(body: bytes, expected: object) -> None:
    value = parse_json(body)
    assert value == expected
    assert parse_json(json_bytes(value)) == value


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"a":1,}', b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(body)


def test_a_value_nested_too_deeply_to_write_is_a_value_error() -> None:
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    with pytest.raises(ValueError, match="too deeply"):
        json_bytes(value)
    while value:  # taken apart by hand: freeing it at once would be as deep
        value = value.pop()


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_cleaned_text_can_be_stored_anywhere(text: str) -> None:
    cleaned = clean_text(text)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode() == cleaned
    assert len(cleaned) == len(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a\x00b", "a\ufffdb"), ("", None), (None, None), (True, None), (200, "200"), ({}, None)],
)
def test_a_text_is_read(value: object, expected: str | None) -> None:
    assert read_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("6012384857989", 6012384857989),
        (6012384857989, 6012384857989),
        (2**63 - 1, 2**63 - 1),
        (str(2**63), None),
        (2**63, None),
        (0, None),
        (-1, None),
        ("", None),
        (" 1", None),
        ("1_2", None),
        ("\u0661", None),
        ("123_456", None),
        (1.0, None),
        (True, None),
        (None, None),
        ([1], None),
    ],
)
def test_an_id_is_positive_and_fits_64_bits(value: object, expected: int | None) -> None:
    assert read_id(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), ("3", 3), (-1, None), (2**31, None), ("many", None)]
)
def test_a_count_is_not_negative_and_fits_32_bits(value: object, expected: int | None) -> None:
    assert read_count(value) == expected


@pytest.mark.parametrize(("value", "expected"), [("-1", -1), (2**31, None), (-(2**31), None)])
def test_an_integer_fits_32_bits(value: object, expected: int | None) -> None:
    assert read_integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (1, True),
        ("1", True),
        ("true", True),
        ("TRUE", True),
        (False, False),
        (0, False),
        ("false", False),
        (None, False),
        ([], False),
        (2, False),
    ],
)
def test_a_flag_is_read(value: object, *, expected: bool) -> None:
    assert read_flag(value) is expected
