"""One call to a caller's URI: where it goes, how long it takes, and what is made of the answer."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from receiver.delivery.sender import Reply, Sender
from tests.support.certificates import self_signed, server_context
from tests.support.lying_server import (
    LyingServer,
    Peer,
    answering,
    http_answer,
    lying_server,
)

PRIVATE = Sender(timeout_seconds=2, allow_private_addresses=True)
STRICT = Sender(timeout_seconds=2, allow_private_addresses=False)


def post(sender: Sender, uri: str) -> Reply:
    return sender.post(uri, body=b"id=1", headers={"webhook-id": "msg_1"})


def test_the_uri_is_called_exactly_as_it_is_given() -> None:
    with lying_server(answering(http_answer(b"OK"))) as server:
        reply = post(PRIVATE, f"{server.url}/hook/%C3%A4;x?a=1&b=%2F&c")
        (request,) = server.requests
    assert reply == Reply(200, error=None, response="OK")
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook/%C3%A4;x?a=1&b=%2F&c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert b"webhook-id: msg_1" in head
    assert body == b"id=1"


def test_an_answer_that_repeats_the_secrets_of_the_uri_is_kept_without_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = http_answer(b"You sent key=a%2Dlong-secret&n=5: a-long-secret, 5, and hunter2hunter2")
    with caplog.at_level("DEBUG"), lying_server(answering(answer)) as server:
        address = server.url.removeprefix("http://")
        uri = f"http://user:hunter2hunter2@{address}/hook?key=a%2Dlong-secret&n=5"
        reply = post(PRIVATE, uri)
    assert reply.response == "You sent (hidden): (hidden), 5, and (hidden)"
    assert "POST /hook?(hidden)" in caplog.text
    assert "long-secret" not in caplog.text


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]"],
)
def test_an_address_of_this_network_is_not_called(host: str) -> None:
    with lying_server(answering(http_answer(b"OK"))) as server:
        reply = post(STRICT, f"http://{host}:{server.port}/")
        assert server.connections == 0
    assert reply.error in ("address_refused", "name_not_resolved")


def test_a_name_that_leads_to_a_private_address_among_others_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [(socket.AF_INET, 1, 6, "", (each, 80)) for each in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    assert post(STRICT, "http://rebinding.example/").error == "address_refused"


def test_a_name_is_resolved_once_and_the_checked_address_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: whatever the name leads to the next time is not asked for."""
    asked: list[Any] = []
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **named: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *arguments, **named)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, arguments[0]))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with lying_server(answering(http_answer(b"OK"))) as server:
        assert post(PRIVATE, f"http://rebinding.example:{server.port}/").http_status == 200
        assert b"Host: rebinding.example" in server.requests[0]
    assert asked == ["rebinding.example"]


def test_a_redirect_is_not_followed() -> None:
    with lying_server(answering(http_answer(b"OK"))) as inner:
        moved = http_answer(b"", status=302, headers={"Location": f"{inner.url}/secret"})
        with lying_server(answering(moved)) as server:
            assert post(PRIVATE, server.url).http_status == 302
        assert inner.connections == 0


def test_a_peer_that_drips_is_cut_off() -> None:
    def drip(peer: Peer) -> None:
        peer.read_request()
        peer.drip(b"HTTP/1.1 200 OK\r\nX: y\r\n")

    with lying_server(drip) as server:
        began = time.monotonic()
        sender = Sender(timeout_seconds=0.5, allow_private_addresses=True)
        assert post(sender, server.url).error == "timeout"
        assert time.monotonic() - began < 5


def _silent(peer: Peer) -> None:
    peer.wait()


def _reset(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (_silent, "timeout"),
        (_reset, "connection_failed"),
        (answering(b"no http\r\n"), "connection_failed"),
    ],
)
def test_a_peer_that_does_not_answer_is_told_in_a_word(behaviour: Any, word: str) -> None:
    with lying_server(behaviour) as server:
        sender = Sender(timeout_seconds=0.5, allow_private_addresses=True)
        assert post(sender, server.url).error == word


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("http://127.0.0.1:9/", "connection_refused"),
        ("http://nobody.invalid/", "name_not_resolved"),
        ("http:///nothing", "invalid_uri"),
        ("http://x:99999/", "connection_failed"),
    ],
)
def test_what_cannot_be_called_is_told_in_a_word(uri: str, word: str) -> None:
    assert post(PRIVATE, uri).error == word


def test_a_server_without_a_certificate_that_holds_is_not_told(tmp_path: Path) -> None:
    context = server_context(self_signed(tmp_path))

    with lying_server(lambda peer: peer.wrap(context)) as server:
        assert post(PRIVATE, f"https://127.0.0.1:{server.port}/").error == "tls_failed"


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with lying_server(answering(http_answer(b"x" * 1_000_000))) as server:
        assert len(post(PRIVATE, server.url).response) == 4096


def test_an_answer_of_any_bytes_can_be_stored() -> None:
    with lying_server(answering(http_answer(b"\xff\x00\xfe", status=500))) as server:
        reply = post(PRIVATE, server.url)
    assert (reply.http_status, reply.is_success) == (500, False)
    assert "\0" not in reply.response


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server: LyingServer
    with lying_server(answering(http_answer(b"OK"))) as server:
        assert post(PRIVATE, server.url).http_status == 200
