from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.serve import (
    BadParameter,
    decode_cursor,
    encode_cursor,
    page_answer,
    parse_limit,
)
from tests.support.json_strategies import json_values


def test_a_limit_is_clamped() -> None:
    assert [parse_limit(value) for value in (None, "", "7", 7, "99999")] == [25, 25, 7, 7, 500]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "٣", True, "9" * 99])
def test_a_limit_must_be_a_positive_number(value: object) -> None:
    with pytest.raises(BadParameter):
        parse_limit(value)


@given(st.integers(1, 10**18))
def test_a_cursor_keeps_its_position(position: int) -> None:
    assert decode_cursor({"after": encode_cursor(position)}, "after") == position


@given(json_values())
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


def test_a_cursor_beyond_every_id_is_refused() -> None:
    with pytest.raises(BadParameter, match="cursors"):
        decode_cursor({"after": encode_cursor(2**63)}, "after")
