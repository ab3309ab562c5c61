from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.serve import (
    BadParameter,
    NewSet,
    parse_mode,
    parse_name,
    parse_new_set,
    parse_notification_uri,
)
from tests.support.json_strategies import json_values

AD = {"name": "ad", "adset_id": "5"}


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


@given(st.dictionaries(st.sampled_from(["name", "ad_specs", "notification_uri"]), json_values()))
def test_a_strange_create_is_refused_or_right(parameters: dict[str, Any]) -> None:
    with contextlib.suppress(BadParameter):
        new = parse_new_set(parameters)
        assert new.name
        assert all(isinstance(spec, dict) for spec in new.ad_specs)


def test_a_change_names_only_what_changes() -> None:
    assert parse_mode({}) is None
    assert parse_notification_uri({}) is None
    assert parse_name({"name": "new"}) == "new"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "Infinity"])
def test_specs_hold_no_number_that_json_cannot(number: str) -> None:
    with pytest.raises(BadParameter, match="ad_specs must be valid JSON"):
        parse_new_set({"name": "set", "ad_specs": f'[{{"bid_amount": {number}}}]'})
