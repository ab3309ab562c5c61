"""A client of ours before a server that lies, and the calls that tests make with it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from receiver.graph.client import Answered, Created, Credential, GraphClient
from receiver.graph.errors import CallFailed
from receiver.graph.wire import SetReading
from tests.support.lying_server import Behaviour, LyingServer, http_answer, lying_server
from tests.support.samples import sample

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
