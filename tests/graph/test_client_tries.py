from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.graph.errors import CallFailed, GraphError, NoAnswer, UnreadableAnswer
from tests.support.graph_client import (
    A_SET,
    BAD_GATEWAY,
    CREATED,
    THROTTLED,
    TOKEN_EXPIRED,
    create,
    failed_create,
    read,
    server_and_client,
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
)
from tests.support.samples import sample

HEADS = (
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: ",
    b"HTTP/1.1 200 OK\r\nContent-Length: ",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: ",
)
BODIES = (b"", b'\r\n\r\n{"id":"12"}', b'{"error":{"code":190}}')


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with lying_server(answering(CREATED)) as other:
        answer = http_answer(b"", status=status, headers={"Location": f"{other.url}/elsewhere"})
        error = failed_create(answering(answer))
    assert isinstance(error, UnreadableAnswer)
    assert other.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        BAD_GATEWAY,
        THROTTLED,
        TOKEN_EXPIRED,
        http_answer(sample("bare_500.json"), status=500),
        http_answer(b"", status=503, headers={"Retry-After": "0"}),
        http_answer(b"", status=413, headers={"Retry-After": "0"}),
    ],
)
def test_a_create_is_never_repeated(answer: bytes) -> None:
    with (
        server_and_client(answering(answer)) as (server, client),
        pytest.raises(CallFailed),
    ):
        create(client)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "behaviour", [resetting_in_the_request, resetting_after_the_request, cutting(b"")]
)
def test_a_create_that_lost_its_connection_is_never_repeated(behaviour: Behaviour) -> None:
    with (
        server_and_client(behaviour, answering(CREATED)) as (server, client),
        pytest.raises(NoAnswer),
    ):
        create(client)
    assert server.connections == 1


def test_whatever_bytes_come_back_a_create_is_made_or_has_failed() -> None:
    answer = b""

    def lying(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)

    @settings(max_examples=60, deadline=None)
    @given(head=st.sampled_from(HEADS), rest=st.binary(max_size=300), body=st.sampled_from(BODIES))
    def check(head: bytes, rest: bytes, body: bytes) -> None:
        nonlocal answer
        answer = head + rest + body
        try:
            created = create(client)
        except (NoAnswer, UnreadableAnswer, GraphError):
            return
        assert created.set_id > 0

    with server_and_client(lying) as (_, client):
        check()


def test_a_create_never_uses_a_connection_that_was_kept_open() -> None:
    with server_and_client(answering(A_SET), answering(CREATED)) as (server, client):
        read(client)
        create(client)
        create(client)
        assert server.connections == 3


def test_reads_share_a_connection() -> None:
    with server_and_client(answering(A_SET)) as (server, client):
        for _ in range(3):
            read(client)
        assert server.connections == 1


def test_a_kept_connection_that_has_gone_stale_costs_at_most_a_try() -> None:
    def once_then_reset(peer: Peer) -> None:
        peer.read_request()
        peer.send(A_SET)
        peer.read_request()
        peer.reset()

    with server_and_client(once_then_reset, answering(A_SET)) as (_, client):
        assert read(client).calls == 1
        assert read(client).calls == 2


SERVER_ERRORS = (
    BAD_GATEWAY,
    http_answer(sample("bare_500.json"), status=500),
    http_answer(b"{}", status=500),
)


@pytest.mark.parametrize("answer", SERVER_ERRORS)
def test_a_read_that_met_a_server_error_is_tried_again(answer: bytes) -> None:
    with server_and_client(answering(answer, answer, A_SET)) as (server, client):
        assert read(client).calls == 3
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "behaviour",
    [
        resetting_in_the_request,
        resetting_after_the_request,
        cutting(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
    ],
)
def test_a_read_that_lost_its_connection_is_tried_again(behaviour: Behaviour) -> None:
    with server_and_client(behaviour, behaviour, answering(A_SET)) as (server, client):
        assert read(client).calls == 3
        assert server.connections == 3


@pytest.mark.parametrize(
    "answer",
    [THROTTLED, TOKEN_EXPIRED, http_answer(b"<html>"), http_answer(b"{}", status=404)],
)
def test_a_read_that_would_fail_again_is_not_tried_again(answer: bytes) -> None:
    with (
        server_and_client(answering(answer)) as (server, client),
        pytest.raises(CallFailed) as caught,
    ):
        read(client)
    assert (len(server.requests), caught.value.calls) == (1, 1)


def test_a_read_gives_up_after_its_tries() -> None:
    pauses: list[float] = []
    with (
        server_and_client(answering(BAD_GATEWAY), sleep=pauses.append, deadline_seconds=60) as (
            server,
            client,
        ),
        pytest.raises(UnreadableAnswer) as caught,
    ):
        read(client)
    assert (len(server.requests), caught.value.calls) == (3, 3)
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1.0


def test_all_tries_of_a_read_together_end_with_the_deadline() -> None:
    started = time.monotonic()
    drip = dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
    with (
        server_and_client(
            drip, deadline_seconds=0.4, read_timeout_seconds=0.1, attempts=50, sleep=time.sleep
        ) as (_, client),
        pytest.raises(NoAnswer),
    ):
        read(client)
    assert time.monotonic() - started < 5.0


def test_a_kept_connection_has_a_deadline_too() -> None:
    def well_then_dripping(peer: Peer) -> None:
        peer.read_request()
        peer.send(A_SET)
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")(peer)

    with server_and_client(
        well_then_dripping, deadline_seconds=1.0, read_timeout_seconds=30.0, attempts=1
    ) as (
        server,
        client,
    ):
        read(client)
        started = time.monotonic()
        with pytest.raises(NoAnswer, match="the deadline passed"):
            read(client)
        assert time.monotonic() - started < 5.0
        assert server.connections == 1


def test_a_read_does_not_pause_beyond_its_deadline() -> None:
    pauses: list[float] = []
    with (
        server_and_client(
            answering(BAD_GATEWAY), deadline_seconds=0.5, attempts=10, sleep=pauses.append
        ) as (_, client),
        pytest.raises(UnreadableAnswer),
    ):
        read(client)
    assert all(pause < 0.5 for pause in pauses)
