from __future__ import annotations

import gzip
import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import __version__
from receiver.graph.client import Answered, Created, Credential, GraphClient
from receiver.graph.errors import (
    CallFailed,
    GraphError,
    NoAnswer,
    NotSent,
    UnreadableAnswer,
    outcome_is_unknown,
)
from receiver.graph.wire import SetReading, appsecret_proof
from tests.support.certificates import self_signed, server_context
from tests.support.lying_server import (
    Behaviour,
    LyingServer,
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
from tests.support.samples import sample
from tests.support.sandbox import running_sandbox

TOKEN = "EAABsecrettoken|with/odd=characters"
SECRET = "0123456789abcdefsecret"
CREDENTIAL = Credential(TOKEN, app_secret=SECRET)

AD_SPECS = '[{"name":"ad","adset_id":"5","creative":{"creative_id":"7"},"status":"PAUSED"}]'
CREATED = http_answer(b'{"id":"6012384857989"}')
A_SET = http_answer(b'{"id":"12","is_completed":true}')
EMPTY_PAGE = http_answer(b'{"data":[]}')
BAD_GATEWAY = http_answer(sample("bad_gateway.html"), status=502)
THROTTLED = http_answer(sample("rate_limited.json"), status=400)
TOKEN_EXPIRED = http_answer(sample("token_expired.json"), status=400)


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


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def client_of(url: str, **arguments: Any) -> Iterator[GraphClient]:
    settings: dict[str, Any] = {
        "connect_timeout_seconds": 5.0,
        "read_timeout_seconds": 5.0,
        "deadline_seconds": 8.0,
        "sleep": lambda _seconds: None,
        **arguments,
    }
    client = GraphClient(url, **settings)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def server_and_client(
    *behaviours: Behaviour, **arguments: Any
) -> Iterator[tuple[LyingServer, GraphClient]]:
    with lying_server(*behaviours) as server, client_of(server.url, **arguments) as client:
        yield server, client


def create(
    client: GraphClient, *, within_seconds: float = 10.0, credential: Credential = CREDENTIAL
) -> Created:
    return client.create_request_set(
        credential,
        account_id=71597454,
        name="Ünïcode & co",
        specs=AD_SPECS,
        notification_uri="https://receiver.example/notifications/abc",
        send_before_monotonic=time.monotonic() + within_seconds,
    )


def read(client: GraphClient) -> Answered[SetReading]:
    return client.read_set(CREDENTIAL, 12)


def failed_create(*behaviours: Behaviour, **arguments: Any) -> CallFailed:
    with (
        server_and_client(*behaviours, **arguments) as (_, client),
        pytest.raises(CallFailed) as caught,
    ):
        create(client)
    return caught.value


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_a_create_is_a_form_with_the_ads_as_one_text() -> None:
    with server_and_client(answering(CREATED)) as (server, client):
        assert create(client).set_id == 6012384857989
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v21.0/act_71597454/asyncadrequestsets HTTP/1.1\r\n")
    assert parse_qs(body.decode()) == {
        "name": ["Ünïcode & co"],
        "ad_specs": [AD_SPECS],
        "notification_mode": ["ON_COMPLETE"],
        "notification_uri": ["https://receiver.example/notifications/abc"],
        "appsecret_proof": [appsecret_proof(TOKEN, SECRET)],
    }


def test_a_read_carries_its_proof_in_the_query_and_the_token_in_a_header() -> None:
    with server_and_client(answering(EMPTY_PAGE)) as (server, client):
        client.read_requests(CREDENTIAL, 12, after="a&b", limit=7)
    lines = server.requests[0].decode().split("\r\n")
    target = urlsplit(lines[0].split(" ")[1])
    query = parse_qs(target.query)
    assert target.path == "/v21.0/12/requests"
    assert (query["after"], query["limit"]) == (["a&b"], ["7"])
    assert query["appsecret_proof"] == [appsecret_proof(TOKEN, SECRET)]
    assert f"Authorization: Bearer {TOKEN}" in lines
    assert f"User-Agent: receiver/{__version__}" in lines
    assert TOKEN not in lines[0]


def test_without_an_app_secret_there_is_no_proof() -> None:
    with server_and_client(answering(A_SET)) as (server, client):
        client.read_set(Credential(TOKEN), 12)
    assert b"appsecret_proof" not in server.requests[0]


def test_netrc_never_replaces_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server_and_client(answering(CREATED)) as (server, client):
        create(client)
    assert f"Authorization: Bearer {TOKEN}".encode() in server.requests[0]
    assert server.requests[0].count(b"Authorization:") == 1


def test_a_cookie_is_never_sent_back() -> None:
    answer = http_answer(b'{"id":"12"}', headers={"Set-Cookie": "fr=abc; Path=/"})
    with server_and_client(answering(answer)) as (server, client):
        read(client)
        read(client)
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_calls_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with lying_server(answering(CREATED)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with client_of("http://graph.invalid") as client:
            assert create(client).set_id == 6012384857989
    assert proxy.requests[0].startswith(b"POST http://graph.invalid/v21.0/act_71597454/")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{port}", "socks5h://127.0.0.1:{port}"])
def test_a_proxy_that_cannot_be_used_means_nothing_was_sent(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(port=unused_port()))
    with client_of("http://graph.invalid") as client, pytest.raises(NotSent):
        create(client)


def test_a_proxy_that_opens_no_tunnel_means_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing = cutting(http_answer(b"", status=407))
    for behaviour in (refusing, dripping(b"", b"x"), resetting_after_the_request):
        with lying_server(behaviour) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            with (
                client_of("https://graph.invalid", deadline_seconds=0.3) as client,
                pytest.raises(NotSent),
            ):
                create(client)
        assert proxy.requests[0].startswith(b"CONNECT graph.invalid:443 ")


def test_an_answer_brings_value_usage_and_the_number_of_calls() -> None:
    headers = {"X-App-Usage": '{"call_count":28}'}
    with server_and_client(answering(http_answer(b'{"id":"12"}', headers=headers))) as (_, client):
        answered = read(client)
    assert (answered.value.id, answered.usage.percent, answered.calls) == (12, 28.0, 1)


def test_a_page_of_an_accounts_sets_is_read() -> None:
    with server_and_client(answering(http_answer(sample("account_sets.json")))) as (_, client):
        page = client.read_account_sets(CREDENTIAL, 71597454, after=None, limit=10).value
    assert [reading.id for reading in page.sets] == [6012384253789]


def test_a_failing_answer_brings_its_usage_too() -> None:
    headers = {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":2}]}'}
    answers = [
        http_answer(sample("rate_limited.json"), status=400, headers=headers),
        http_answer(b"<html>", headers=headers),
        http_answer(b"{}", headers=headers),
        http_answer(b" " * 100, headers=headers),
    ]
    for answer in answers:
        error = failed_create(answering(answer), answer_limit_bytes=90)
        assert error.usage.wait_seconds == 120.0
        assert error.calls == 1


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(b'{"id":"12"}')
    answer = http_answer(body, headers={"Content-Encoding": "gzip"})
    with server_and_client(answering(answer)) as (_, client):
        assert read(client).value.id == 12


def test_a_chunked_answer_is_read() -> None:
    answer = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"id":"12"}\r\n0\r\n\r\n'
    with server_and_client(answering(answer)) as (_, client):
        assert read(client).value.id == 12


def test_another_set_than_the_one_asked_for_is_unreadable() -> None:
    with (
        server_and_client(answering(http_answer(b'{"id":"13"}'))) as (_, client),
        pytest.raises(UnreadableAnswer, match="another set"),
    ):
        read(client)


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
    error = failed_create(behaviour, deadline_seconds=0.3, read_timeout_seconds=10.0)
    assert time.monotonic() - started < 1.0
    assert isinstance(error, NoAnswer)
    assert str(error) == "Sent, and no complete answer came: the deadline passed."


def test_a_silent_peer_is_left_after_the_read_timeout() -> None:
    error = failed_create(silent_after_the_request, read_timeout_seconds=0.1)
    assert isinstance(error, NoAnswer)
    assert "TimeoutError" in str(error)


def test_a_large_create_that_nobody_reads_ends_with_its_deadline() -> None:
    with (
        server_and_client(Peer.wait, deadline_seconds=2) as (_, client),
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


def speaking_no_tls(peer: Peer) -> None:
    peer.read_a_byte()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


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
        started = time.monotonic()
        with (
            client_of(f"https://127.0.0.1:{server.port}", deadline_seconds=0.3) as client,
            pytest.raises(NotSent),
        ):
            create(client)
        assert time.monotonic() - started < 1.0


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


def test_calls_over_tls_end_like_all_others(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    behaviours = [
        over_tls(behaviour, certificate)
        for behaviour in (answering(CREATED), answering(A_SET), dripping_body, silence_in_the_body)
    ]
    with (
        lying_server(*behaviours) as server,
        client_of(f"https://127.0.0.1:{server.port}", deadline_seconds=0.4) as client,
    ):
        assert create(client).set_id == 6012384857989
        assert read(client).calls == 1
        assert read(client).calls == 1
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(NoAnswer, match="the deadline passed"):
                create(client)
            assert time.monotonic() - started < 1.0
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
    assert time.monotonic() - started < 1.0


def test_a_kept_connection_has_a_deadline_too() -> None:
    def well_then_dripping(peer: Peer) -> None:
        peer.read_request()
        peer.send(A_SET)
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")(peer)

    with server_and_client(well_then_dripping, deadline_seconds=0.3, attempts=1) as (
        server,
        client,
    ):
        read(client)
        started = time.monotonic()
        with pytest.raises(NoAnswer, match="the deadline passed"):
            read(client)
        assert time.monotonic() - started < 1.0
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


def read_token(client: GraphClient) -> object:
    return client.read_token(CREDENTIAL)


def echoing(peer: Peer) -> None:
    proof = appsecret_proof(TOKEN, SECRET)
    message = f"Malformed access token {TOKEN} {SECRET} {proof}"
    answering(
        http_answer(b'{"error":{"code":190,"message":"' + message.encode() + b'"}}', status=400)
    )(peer)


@pytest.mark.parametrize(
    "behaviour",
    [
        answering(A_SET),
        echoing,
        answering(BAD_GATEWAY),
        answering(b"HTTP/1.1 200 OK\r\nbroken header\r\nContent-Length: 2\r\n\r\n{}"),
        cutting(b""),
        resetting_after_the_request,
        silent_after_the_request,
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
)
@pytest.mark.parametrize("call", [create, read, read_token])
def test_no_secret_is_in_any_error_or_log(
    behaviour: Behaviour, call: Callable[[GraphClient], object], caplog: pytest.LogCaptureFixture
) -> None:
    texts = []
    with (
        caplog.at_level(logging.DEBUG),
        server_and_client(behaviour, attempts=2, deadline_seconds=0.3) as (_, client),
    ):
        try:
            call(client)
        except CallFailed as error:
            texts = [str(error), repr(error), "".join(traceback.format_exception(error))]
            texts += [repr(vars(error)), repr(error.__context__), repr(error.__cause__)]
    texts += [caplog.text, repr([record.args for record in caplog.records])]
    for secret in (TOKEN, SECRET, appsecret_proof(TOKEN, SECRET)):
        assert not any(secret in text for text in texts)


def test_a_connection_error_shows_no_secret() -> None:
    with (
        client_of(f"http://127.0.0.1:{unused_port()}", attempts=1) as client,
        pytest.raises(NotSent) as caught,
    ):
        read(client)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_an_echoed_token_is_hidden_in_message_and_body() -> None:
    error = failed_create(echoing)
    assert isinstance(error, GraphError)
    assert error.message == "Malformed access token (hidden) (hidden) (hidden)"
    assert TOKEN.encode() not in error.body


def test_a_credential_does_not_show_itself() -> None:
    assert repr(CREDENTIAL) == "Credential()"


def test_a_set_is_made_and_read_at_the_sandbox() -> None:
    with running_sandbox(app_secret=SECRET) as sandbox, client_of(sandbox.url) as client:
        sandbox.configure("71597454", notification={"kind": "never"})
        set_id = create(client).set_id
        reading = client.read_set(CREDENTIAL, set_id).value
        page = client.read_requests(CREDENTIAL, set_id, after=None).value
        listed = client.read_account_sets(CREDENTIAL, 71597454, after=None, limit=10).value
        with pytest.raises(GraphError) as caught:
            client.read_set(Credential(TOKEN), set_id)
    assert (reading.name, reading.is_completed, reading.total_count) == ("Ünïcode & co", True, 1)
    assert [request.status for request in page.requests] == ["SUCCESS"]
    assert page.requests[0].created_object_id is not None
    assert [one.id for one in listed.sets] == [set_id]
    assert caught.value.code == 100
