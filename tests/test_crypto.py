from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.crypto import CannotOpen, Keys, Token, hash_api_key, new_api_key

OLD_KEY = "an old key of more than 32 characters"
NEW_KEY = "a new key of more than 32 characters"
KEYS = Keys([NEW_KEY, OLD_KEY])
OLD_KEYS = Keys([OLD_KEY])
FOREIGN_KEYS = Keys(["a foreign key of more than 32 characters"])

intents = st.integers(min_value=1, max_value=2**63 - 1)
attempts = st.integers(min_value=1, max_value=2**31 - 1)
TOKEN_CHARACTERS = string.ascii_letters + string.digits + "-_."


@given(intents, attempts)
def test_a_signed_token_opens(intent: int, attempt: int) -> None:
    opened = KEYS.open_token(KEYS.sign_token(intent=intent, attempt=attempt))
    assert opened is not None
    assert (opened.intent, opened.attempt) == (intent, attempt)


@given(intents, attempts, st.data())
def test_a_token_that_differs_in_one_character_is_refused(
    intent: int, attempt: int, data: st.DataObject
) -> None:
    token = KEYS.sign_token(intent=intent, attempt=attempt)
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(TOKEN_CHARACTERS) | st.characters())
    changed = token[:position] + other + token[position + 1 :]
    assert (KEYS.open_token(changed) is None) == (changed != token)


@given(intents, attempts, st.data())
def test_a_token_with_a_character_more_or_less_is_refused(
    intent: int, attempt: int, data: st.DataObject
) -> None:
    token = KEYS.sign_token(intent=intent, attempt=attempt)
    position = data.draw(st.integers(0, len(token) - 1))
    added = data.draw(st.sampled_from(TOKEN_CHARACTERS) | st.characters())
    assert KEYS.open_token(token[:position] + token[position + 1 :]) is None
    assert KEYS.open_token(token[:position] + added + token[position:]) is None
    assert KEYS.open_token(token + added) is None


@given(
    st.text() | st.text(TOKEN_CHARACTERS) | st.from_regex(r"[0-9a-f]{8}\.\d+\.\d+\.[\w-]{22}\n?")
)
def test_any_other_text_is_refused(text: str) -> None:
    assert KEYS.open_token(text) is None


@pytest.mark.parametrize("text", ["", ".", "...", "\ud800", "9" * 10_000, "\u0663" * 8, "\0"])
def test_an_odd_text_is_refused(text: str) -> None:
    assert KEYS.open_token(text) is None


@pytest.mark.parametrize(
    "named",
    ["0.1", "1.0", "01.1", "1.01", f"{2**63}.1", f"1.{2**31}", "+1.1", "1_0.1", "\u0661.1", " 1.1"],
)
def test_numbers_that_are_not_canonical_are_refused_even_when_signed(named: str) -> None:
    key_id = KEYS.sign_token(intent=1, attempt=1).split(".")[0]
    text = f"{key_id}.{named}"
    assert KEYS.open_token(f"{text}.{KEYS._mac(text, key_id=key_id)}") is None


@pytest.mark.parametrize(("intent", "attempt"), [(0, 1), (1, 0), (-1, 1), (2**63, 1), (1, 2**31)])
def test_a_token_that_could_not_be_opened_is_not_signed(intent: int, attempt: int) -> None:
    with pytest.raises(ValueError, match="no token can name"):
        KEYS.sign_token(intent=intent, attempt=attempt)


def test_a_token_is_short_and_needs_no_escaping_in_a_url() -> None:
    token = KEYS.sign_token(intent=2**63 - 1, attempt=2**31 - 1)
    assert len(token) <= 64
    assert set(token) <= set(TOKEN_CHARACTERS)


def test_an_older_key_still_verifies() -> None:
    token = OLD_KEYS.sign_token(intent=12, attempt=3)
    opened = KEYS.open_token(token)
    assert opened == OLD_KEYS.open_token(token)
    assert opened is not None


def test_the_newest_key_signs() -> None:
    token = KEYS.sign_token(intent=12, attempt=3)
    assert Keys([NEW_KEY]).open_token(token) is not None
    assert OLD_KEYS.open_token(token) is None


def test_a_token_under_a_foreign_key_is_refused() -> None:
    assert KEYS.open_token(FOREIGN_KEYS.sign_token(intent=12, attempt=3)) is None


def test_a_token_that_names_another_key_than_signed_it_is_refused() -> None:
    key_id = OLD_KEYS.sign_token(intent=1, attempt=1).split(".")[0]
    _, named = KEYS.sign_token(intent=1, attempt=1).split(".", 1)
    assert KEYS.open_token(f"{key_id}.{named}") is None


def test_what_a_key_derives_stays_the_same() -> None:
    """URLs at Facebook outlive a release: a change here makes every one of them a forgery."""
    token = KEYS.sign_token(intent=12, attempt=3)
    assert token == "3d708a5f.12.3.5O1V1fdVvKfwf12yQo-IuQ"
    assert KEYS.open_token(token) == Token("3d708a5f", intent=12, attempt=3)


@pytest.mark.parametrize(
    "around",
    [
        "https://receiver.example.com/notifications/{}",
        "http://an-older-host:8000/base/notifications/{}?id=1",
        "https://receiver.example.com/notifications/notifications/{}#part",
        "/notifications/{}/",
    ],
)
def test_a_token_is_found_in_the_uri_of_any_host(around: str) -> None:
    token = KEYS.sign_token(intent=12, attempt=3)
    assert KEYS.token_in_uri(around.format(token)) == KEYS.open_token(token)


@pytest.mark.parametrize("around", ["{}", "https://host/{}", "https://host/?/notifications/{}", ""])
def test_a_uri_without_a_token_in_its_place_has_none(around: str) -> None:
    assert KEYS.token_in_uri(around.format(KEYS.sign_token(intent=12, attempt=3))) is None


@given(st.text())
def test_any_uri_can_be_asked_for_a_token(uri: str) -> None:
    assert KEYS.token_in_uri(uri) is None
    assert KEYS.token_in_uri(f"http://[/notifications/{uri}") is None


@given(st.text(), intents, attempts)
def test_a_tag_is_found_at_the_end_of_a_name_and_taken_off(
    name: str, intent: int, attempt: int
) -> None:
    tagged = name + KEYS.tag(KEYS.sign_token(intent=intent, attempt=attempt))
    tag = KEYS.parse_tag(tagged)
    assert tag is not None
    assert (tag.intent, tag.attempt) == (intent, attempt)
    assert KEYS.remove_tag(tagged) == name


@given(st.text() | st.from_regex(r".* \[rcv:\d+\.\d+\.[\w-]{8}\]"))
def test_a_name_without_a_tag_of_ours_is_left_alone(name: str) -> None:
    assert KEYS.parse_tag(name) is None
    assert KEYS.remove_tag(name) == name


def test_a_tag_that_is_not_the_end_does_not_count() -> None:
    tag = KEYS.tag(KEYS.sign_token(intent=12, attempt=3))
    assert KEYS.parse_tag(f"a name{tag} and more") is None
    assert KEYS.parse_tag(f"a name{tag}\n") is None


def test_a_forged_tag_does_not_count() -> None:
    tag = KEYS.tag(KEYS.sign_token(intent=12, attempt=3))
    assert KEYS.parse_tag(f"a name{tag.replace('12.3', '13.3')}") is None
    assert FOREIGN_KEYS.parse_tag(f"a name{tag}") is None


def test_a_tag_under_an_older_key_counts() -> None:
    assert KEYS.parse_tag("a name" + OLD_KEYS.tag(OLD_KEYS.sign_token(intent=1, attempt=1)))


@given(st.text())
def test_a_sealed_text_opens(text: str) -> None:
    assert KEYS.open_sealed(KEYS.seal(text)) == text


def test_an_older_key_still_opens() -> None:
    assert KEYS.open_sealed(OLD_KEYS.seal("a token")) == "a token"


def test_the_newest_key_seals() -> None:
    assert Keys([NEW_KEY]).open_sealed(KEYS.seal("a token")) == "a token"


@given(st.binary())
def test_bytes_that_nobody_sealed_do_not_open(data: bytes) -> None:
    with pytest.raises(CannotOpen, match="RECEIVER_SECRET_KEYS"):
        KEYS.open_sealed(data)


def test_a_text_sealed_with_a_foreign_key_does_not_open() -> None:
    with pytest.raises(CannotOpen):
        KEYS.open_sealed(FOREIGN_KEYS.seal("a token"))


def test_sealed_bytes_do_not_show_the_text() -> None:
    sealed = KEYS.seal("a very secret text")
    assert b"secret" not in sealed
    assert b"secret" not in base64.urlsafe_b64decode(sealed)
    assert sealed != KEYS.seal("a very secret text")


def test_api_keys_are_long_random_and_known_by_their_form() -> None:
    keys = {new_api_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(key.startswith("rcv_") and len(key) == 47 for key in keys)


def test_an_api_key_is_known_by_its_hash() -> None:
    assert hash_api_key("rcv_a") == hash_api_key("rcv_a")
    assert hash_api_key("rcv_a") != hash_api_key("rcv_b")
    assert len(hash_api_key("rcv_\ud800")) == 32


def test_no_key_is_shown_by_repr() -> None:
    assert NEW_KEY not in repr(KEYS)
