from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from receiver.sandbox.calls.ids import AccountId, account_number, is_object_id, is_thing


@pytest.mark.parametrize("value", ["5", 5, "9" * 20])
def test_an_id_is_a_number_or_a_text_of_digits(value: object) -> None:
    assert is_object_id(value)


@pytest.mark.parametrize("value", [None, "", "x", 5.5, True, ["5"], "9" * 21, -5, "٣", "5\n"])
def test_anything_else_is_none(value: object) -> None:
    assert not is_object_id(value)


def test_an_account_is_a_number_behind_act() -> None:
    assert account_number("act_71597454") == "71597454"
    assert [account_number(text) for text in ("71597454", "act_", "act_x", "act_1/ads")] == [
        None
    ] * 4


def test_a_thing_is_no_edge() -> None:
    assert all(map(is_thing, ("me", "5", "act_1")))
    assert not any(map(is_thing, ("ads", "requests", "", "debug_token")))


def test_an_account_in_json_is_kept_as_its_number() -> None:
    account = TypeAdapter(AccountId)
    assert [account.validate_python(text) for text in ("act_1", "1")] == ["1", "1"]
    with pytest.raises(ValidationError, match="write act_ and its number"):
        account.validate_python("act_one")
