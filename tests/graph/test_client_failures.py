from __future__ import annotations

import gc
import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.graph.client import Credential
from receiver.graph.errors import NoAnswer, NotSent, UnreadableAnswer, outcome_is_unknown
from tests.support.certificates import self_signed, server_context
from tests.support.graph_client import (
    A_SET,
    CREATED,
    CREDENTIAL,
    client_of,
    create,
    failed_create,
    read,
    server_and_client,
    unused_port,
)
from tests.support.lying_server import (
    Behaviour,
    Peer,
    answering,
    cutting,
    dripping,
    http_answer,
    lying_server,
    resetting_after_the_request,
    resetting_in_the_request,
    silent_after_the_request,
)


def endless(head: bytes, piece: bytes, *, status: int = 200) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 %d Any\r\n" % status + head + b"\r\n")
        while True:
            peer.send(piece)

    return behave


BOMB = gzip.compress(b" " * 50_000_000)


@pytest.mark.parametrize(
    "behaviour",
    [
        answering(http_answer(b" " * 10_001)),
        endless(b"", b" " * 5_000),
        endless(b"Location: http://[\r\n", b" " * 5_000, status=302),
        endless(b"Transfer-Encoding: chunked\r\n", b"3e8\r\n" + b" " * 1000 + b"\r\n"),
        answering(http_answer(BOMB, headers={"Content-Encoding": "gzip"})),
    ],
)
def test_an_answer_beyond_the_limit_is_unreadable(behaviour: Behaviour) -> None:
    error = failed_create(behaviour, answer_limit_bytes=10_000)
    assert isinstance(error, UnreadableAnswer)
    assert "too long" in str(error)


def test_an_answer_that_cannot_be_decoded_is_unreadable() -> None:
    answer = http_answer(b"this is no gzip", headers={"Content-Encoding": "gzip"})
    error = failed_create(answering(answer))
    assert isinstance(error, UnreadableAnswer)
    assert "decoded" in str(error)


def dripping_body(peer: Peer) -> None:
    dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")(peer)


def silence_in_the_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(b'HTTP/1.1 200 OK\r\n\r\n{"id":"12"}')
    peer.wait()


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(resetting_in_the_request, id="reset before all is read"),
        pytest.param(Peer.close, id="closed before anything is read"),
        pytest.param(resetting_after_the_request, id="reset after the request is read"),
        pytest.param(cutting(b""), id="closed without an answer"),
        pytest.param(cutting(b"HTTP/1.1 2"), id="cut status line"),
        pytest.param(
            cutting(b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"id":"60123'), id="cut body"
        ),
        pytest.param(
            cutting(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"id":"12"}\r\n'),
            id="no last chunk",
        ),
        pytest.param(cutting(b"220 mail.example ESMTP\r\n"), id="not HTTP"),
        pytest.param(
            cutting(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
            id="two lengths",
        ),
        pytest.param(cutting(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200), id="too many headers"),
        pytest.param(cutting(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000), id="too long a header"),
    ],
)
def test_a_create_without_a_complete_answer_is_unknown(behaviour: Behaviour) -> None:
    error = failed_create(behaviour)
    assert isinstance(error, NoAnswer)
    assert outcome_is_unknown(error)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent_after_the_request, id="silence"),
        pytest.param(dripping(b"", b"x"), id="dripped status line"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"), id="dripped header"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), id="dripped headers"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="to be continued"),
        pytest.param(dripping_body, id="dripped body"),
        pytest.param(silence_in_the_body, id="silence in the body"),
        pytest.param(dripping(b'HTTP/1.1 200 OK\r\n\r\n{"id":"12"}', b" "), id="endless body"),
        pytest.param(
            dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            id="dripped chunks",
        ),
    ],
)
def test_a_create_ends_with_its_deadline_whatever_drips(behaviour: Behaviour) -> None:
    started = time.monotonic()
    # On a busy machine, connecting may take a good part of a second.
    error = failed_create(behaviour, deadline_seconds=1.0, read_timeout_seconds=30.0)
    assert time.monotonic() - started < 8.0
    assert isinstance(error, NoAnswer)
    assert str(error) == "Sent, and no complete answer came: the deadline passed."


def test_a_silent_peer_is_left_after_the_read_timeout() -> None:
    error = failed_create(silent_after_the_request, read_timeout_seconds=0.1)
    assert isinstance(error, NoAnswer)
    assert "TimeoutError" in str(error)


def test_a_large_create_that_nobody_reads_ends_with_its_deadline() -> None:
    with (
        server_and_client(Peer.wait, deadline_seconds=4) as (_, client),
        pytest.raises(NoAnswer),
    ):
        client.create_request_set(
            CREDENTIAL,
            account_id=1,
            name="large",
            specs="x" * 8_000_000,
            notification_uri="https://receiver.example",
            send_before_monotonic=time.monotonic() + 10,
        )


def test_a_large_create_may_take_longer_to_send_than_to_connect() -> None:
    def slow(peer: Peer) -> None:
        time.sleep(0.3)
        answering(CREATED)(peer)

    with server_and_client(
        slow, connect_timeout_seconds=0.1, read_timeout_seconds=30.0, deadline_seconds=30.0
    ) as (_, client):
        created = client.create_request_set(
            CREDENTIAL,
            account_id=1,
            name="large",
            specs="x" * 10_000_000,
            notification_uri="https://receiver.example",
            send_before_monotonic=time.monotonic() + 10,
        )
    assert created.set_id == 6012384857989


def test_a_host_that_refuses_means_nothing_was_sent() -> None:
    with (
        client_of(f"http://127.0.0.1:{unused_port()}") as client,
        pytest.raises(NotSent, match="Connection refused") as caught,
    ):
        create(client)
    assert not outcome_is_unknown(caught.value)


def test_a_name_that_nobody_knows_means_nothing_was_sent() -> None:
    with client_of("http://graph.invalid") as client, pytest.raises(NotSent):
        create(client)


def test_a_host_that_accepts_no_connection_means_nothing_was_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        with client_of(url, connect_timeout_seconds=0.2) as client, pytest.raises(NotSent):
            create(client)
        for filler in fillers:
            filler.close()


_SSL_LOSES = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket")
"""Python's ``ssl`` does not close a connection that broke just before its handshake began."""


@pytest.fixture
def _what_ssl_lost() -> Iterator[None]:
    """Collect what was lost, before another test stumbles over it."""
    yield
    gc.collect()


def speaking_no_tls(peer: Peer) -> None:
    peer.read_a_byte()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@_SSL_LOSES
@pytest.mark.usefixtures("_what_ssl_lost")
@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(resetting_in_the_request, id="reset"),
        pytest.param(Peer.read_a_byte, id="closed"),
        pytest.param(Peer.wait, id="silence"),
        pytest.param(speaking_no_tls, id="no TLS"),
        pytest.param(
            lambda peer: peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 10_000), id="dripped"
        ),
    ],
)
def test_a_handshake_that_fails_means_nothing_was_sent(behaviour: Behaviour) -> None:
    with lying_server(behaviour) as server:
        # Within this time a busy machine connects, too.
        limits = {"deadline_seconds": 1.0, "connect_timeout_seconds": 30.0}
        started = time.monotonic()
        with (
            client_of(f"https://127.0.0.1:{server.port}", **limits) as client,
            pytest.raises(NotSent),
        ):
            create(client)
        assert time.monotonic() - started < 8.0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


def over_tls(behaviour: Behaviour, certificate: Path) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.wrap(server_context(certificate))
        behaviour(peer)

    return behave


def test_a_certificate_that_is_not_trusted_means_nothing_was_sent(certificate: Path) -> None:
    with (
        lying_server(over_tls(answering(CREATED), certificate)) as server,
        client_of(f"https://127.0.0.1:{server.port}") as client,
        pytest.raises(NotSent, match="certificate"),
    ):
        create(client)
    assert server.requests == []


@_SSL_LOSES
@pytest.mark.usefixtures("_what_ssl_lost")
def test_calls_over_tls_end_like_all_others(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    limits = {"deadline_seconds": 1.5, "read_timeout_seconds": 30.0}
    behaviours = [
        over_tls(behaviour, certificate)
        for behaviour in (answering(CREATED), answering(A_SET), dripping_body, silence_in_the_body)
    ]
    with (
        lying_server(*behaviours) as server,
        client_of(f"https://127.0.0.1:{server.port}", **limits) as client,
    ):
        assert create(client).set_id == 6012384857989
        assert read(client).calls == 1
        assert read(client).calls == 1
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(NoAnswer, match="the deadline passed"):
                create(client)
            assert time.monotonic() - started < 8.0
    assert server.connections == 4


def test_a_moment_that_has_passed_means_nothing_was_sent() -> None:
    with (
        server_and_client(answering(CREATED)) as (server, client),
        pytest.raises(NotSent, match="the moment to send had passed"),
    ):
        create(client, within_seconds=-0.001)
    assert server.connections == 0


def test_a_moment_that_passes_while_connecting_means_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve = socket.getaddrinfo

    def resolve_slowly(*args: Any, **arguments: Any) -> Any:
        time.sleep(0.2)
        return resolve(*args, **arguments)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
    with (
        server_and_client(answering(CREATED)) as (server, client),
        pytest.raises(NotSent, match="the moment to send had passed"),
    ):
        create(client, within_seconds=0.1)
    assert server.requests == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "line\nbreak", "tökén", "null\x00"],
)
def test_a_token_that_no_header_can_carry_is_not_sent_and_not_shown(text: str) -> None:
    with (
        server_and_client(answering(CREATED)) as (server, client),
        pytest.raises(NotSent, match="no header can carry") as caught,
    ):
        create(client, credential=Credential(text))
    assert server.connections == 0
    assert not text.strip() or text not in str(caught.value)


def test_a_text_that_cannot_be_encoded_means_nothing_was_sent() -> None:
    with server_and_client(answering(CREATED)) as (server, client), pytest.raises(NotSent):
        client.create_request_set(
            CREDENTIAL,
            account_id=1,
            name="\ud800",
            specs="[]",
            notification_uri="https://receiver.example",
            send_before_monotonic=time.monotonic() + 10,
        )
    assert server.connections == 0
