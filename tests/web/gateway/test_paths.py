"""The numbers in Graph paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.web.gateway.paths import account_number, object_number


def test_an_account_and_an_object_have_their_numbers() -> None:
    assert account_number("act_12") == 12
    assert object_number("6012384857989") == 6012384857989


@pytest.mark.parametrize("node", ["act_", "act_0", "act_x", "12", "me", "act_" + "9" * 19])
def test_what_is_no_account_has_no_number(node: str) -> None:
    assert account_number(node) is None


@pytest.mark.parametrize("node", ["", "0", "-1", "act_1", "9" * 19, "9" * 40, "\u0661", "1:a"])
def test_what_is_no_object_has_no_number(node: str) -> None:
    assert object_number(node) is None


@given(st.text())
def test_any_text_is_read_without_an_error(node: str) -> None:
    account_number(node)
    object_number(node)
