from __future__ import annotations

import gzip
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from receiver import __version__
from receiver.graph import wire
from receiver.graph.client import Credential, GraphClient
from receiver.graph.errors import CallFailed, GraphError, NotSent, UnreadableAnswer
from receiver.graph.tokens import appsecret_proof
from tests.support.graph_client import (
    A_SET,
    AD_SPECS,
    BAD_GATEWAY,
    CREATED,
    CREDENTIAL,
    EMPTY_PAGE,
    SECRET,
    TOKEN,
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
    silent_after_the_request,
)
from tests.support.samples import sample
from tests.support.sandbox import running_sandbox


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
        client.read(
            CREDENTIAL, wire.read_requests(12, after="a&b", limit=7), wire.read_requests_page
        )
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
                client_of("https://graph.invalid", deadline_seconds=1) as client,
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
        call = wire.read_requests(set_id, after=None, limit=500)
        page = client.read(CREDENTIAL, call, wire.read_requests_page).value
        listed = client.read_account_sets(CREDENTIAL, 71597454, after=None, limit=10).value
        with pytest.raises(GraphError) as caught:
            client.read_set(Credential(TOKEN), set_id)
    assert (reading.name, reading.is_completed, reading.total_count) == ("Ünïcode & co", True, 1)
    assert [request.status for request in page.requests] == ["SUCCESS"]
    assert page.requests[0].created_object_id is not None
    assert [one.id for one in listed.sets] == [set_id]
    assert caught.value.code == 100
