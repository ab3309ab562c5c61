"""Facebook's host and our token are taken out of what comes back, however they are written."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from receiver.graph.rewriting import Rewriting

TOKEN = "EAAB|secret/token+1"
KEY = "rcv_the-callers-key"
SECRET = "0123456789abcdef"


def rewriting(key: str | None = KEY) -> Rewriting:
    return Rewriting(
        graph_url="https://graph.facebook.com",
        public_url="https://receiver.example:8443/base",
        token=TOKEN,
        key=key,
        secrets=(SECRET,),
    )


LINK = f"https://graph.facebook.com/v21.0/1/ads?access_token={quote(TOKEN, safe='')}&limit=2"
OURS = "https://receiver.example:8443/base/v21.0/1/ads"


def test_a_link_gets_our_host_and_the_callers_key() -> None:
    assert rewriting().text(LINK) == f"{OURS}?access_token={KEY}&limit=2"


def test_a_link_loses_the_token_where_the_key_came_by_a_header() -> None:
    assert rewriting(None).text(LINK) == f"{OURS}?limit=2"
    last = f"https://graph.facebook.com/v21.0/1/ads?limit=2&access_token={quote(TOKEN, safe='')}"
    assert rewriting(None).text(last) == f"{OURS}?limit=2"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_links_in_json_in_json_are_rewritten_too(depth: int) -> None:
    written = LINK
    for _ in range(depth):
        written = json.dumps(written).replace("/", "\\/")
    found = rewriting().text(written)
    for _ in range(depth):
        found = json.loads(found)
    assert found == f"{OURS}?access_token={KEY}&limit=2"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_token_in_json_in_json_is_found(depth: int) -> None:
    written = f"bad token {TOKEN}"
    for _ in range(depth):
        written = json.dumps(written).replace("/", "\\/")
    found = rewriting(None).text(written)
    for _ in range(depth):
        found = json.loads(found)
    assert found == "bad token (hidden)"


def test_a_link_inside_of_a_query_is_rewritten() -> None:
    inner = quote("https://graph.facebook.com/v21.0/1", safe="")
    assert rewriting().text(f"u={inner}") == "u=" + quote(
        "https://receiver.example:8443/base/v21.0/1", safe=""
    )


@pytest.mark.parametrize(
    "text",
    ["https://graph.facebook.com.evil.example/", "https://graph.facebook.community", "1.10"],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert rewriting().text(text) == text


def test_a_proof_and_the_apps_secret_never_come_through() -> None:
    text = f"https://x/?a=1&appsecret_proof=00ff&b=2 {SECRET}"
    assert rewriting().text(text) == "https://x/?a=1&b=2 (hidden)"


@given(before=st.binary(max_size=30), after=st.binary(max_size=30), has_key=st.booleans())
def test_the_token_stands_in_no_answer_whatever_is_around_it(
    before: bytes, after: bytes, *, has_key: bool
) -> None:
    for written in (TOKEN, quote(TOKEN, safe=""), TOKEN.replace("/", "\\/")):
        data = before + written.encode() + after
        found = rewriting(KEY if has_key else None).bytes(data)
        assert written.encode() not in found


@given(st.binary(max_size=200))
def test_what_holds_neither_stays_byte_for_byte(data: bytes) -> None:
    assume(not any(word in data for word in (b"graph.facebook", b"appsecret", SECRET.encode())))
    assert rewriting().bytes(data) == data
