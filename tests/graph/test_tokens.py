from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from receiver.graph import tokens
from receiver.graph.wire import WrongShape


def test_the_proof_is_the_tokens_hmac_under_the_apps_secret() -> None:
    expected = hmac.new(b"secret", b"token", hashlib.sha256).hexdigest()
    assert tokens.appsecret_proof("token", "secret") == expected


def test_a_tokens_description_is_read() -> None:
    data = {"is_valid": True, "expires_at": 1, "data_access_expires_at": 0, "scopes": ["a", "b"]}
    shown = tokens.read_token_shown({"data": data})
    assert (shown.is_valid, shown.scopes, shown.problem) == (True, ("a", "b"), None)
    assert shown.ends_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_token_that_never_expires_has_no_end_and_one_that_is_not_valid_says_why() -> None:
    data = {"is_valid": False, "expires_at": 0, "error": {"message": "It is over."}}
    shown = tokens.read_token_shown({"data": data})
    assert (shown.is_valid, shown.ends_at, shown.scopes) == (False, None, ())
    assert shown.problem == "It is over."


@pytest.mark.parametrize("value", [None, [], {}, {"data": None}, {"data": []}])
def test_what_describes_no_token_has_the_wrong_shape(value: object) -> None:
    with pytest.raises(WrongShape):
        tokens.read_token_shown(value)


@pytest.mark.parametrize("seconds", [10**30, -5, "soon", None, True])
def test_an_end_of_a_token_that_nobody_understands_is_none(seconds: object) -> None:
    assert tokens.read_token_shown({"data": {"expires_at": seconds}}).ends_at is None
