"""What a Graph path names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.web.gateway.paths import Target, parse_path


@pytest.mark.parametrize(
    "path",
    [
        "v21.0/act_1/asyncadrequestsets",
        "v3.2/act_1/asyncadrequestsets",
        "act_1/asyncadrequestsets",
        "v21.0//act_1//asyncadrequestsets/",
    ],
)
def test_any_version_or_none_and_any_slashes_are_taken(path: str) -> None:
    assert parse_path(path) == Target(
        account_id=1, object_id=None, node="act_1", edge="asyncadrequestsets"
    )


def test_a_number_is_an_object() -> None:
    assert parse_path("v21.0/6012384857989") == Target(
        account_id=None, object_id=6012384857989, node="6012384857989", edge=None
    )


@pytest.mark.parametrize(
    "path",
    ["", "v21.0", "act_", "act_0", "act_x/y", "0", "-1", "1/2/3", "9" * 19, "9" * 40, "\u0661"],
)
def test_what_no_graph_server_knows_is_none(path: str) -> None:
    assert parse_path(path) is None


@given(st.text())
def test_any_text_is_read_without_an_error(path: str) -> None:
    parse_path(path)
