from __future__ import annotations

import contextlib
import http.client
import socket

import pytest

from receiver import metrics
from receiver.worker.metrics_server import serving

TOKEN = "a-token-for-prometheus"


def get(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_the_metrics_of_this_process_are_served() -> None:
    metrics.LOOKS.labels("set", "delivered").inc()
    with serving(0, token=None) as port:
        status, text = get(port)
    assert status == 200
    assert 'receiver_looks_total{kind="set",verdict="delivered"}' in text


def test_there_is_nothing_else() -> None:
    with serving(0, token=None) as port:
        assert get(port, "/")[0] == 404


def test_a_token_is_asked_for_where_there_is_one() -> None:
    with serving(0, token=TOKEN) as port:
        assert get(port)[0] == 401
        assert get(port, Authorization=f"Bearer {TOKEN[:-1]}")[0] == 401
        assert get(port, Authorization=f"Bearer {TOKEN}")[0] == 200


def test_without_one_a_proxy_lets_nobody_in() -> None:
    with serving(0, token=None) as port:
        assert get(port, **{"X-Forwarded-For": "203.0.113.7"})[0] == 401


def test_without_one_it_listens_on_this_machine_alone() -> None:
    with serving(0, token=None) as port, socket.socket() as other:
        # On Linux every address of 127/8 is this machine, and this one is not listened on.
        assert other.connect_ex(("127.0.0.2", port)) != 0
    with serving(0, token=TOKEN) as port, socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port)) == 0


def test_somebody_who_sends_nothing_keeps_nobody_out() -> None:
    with serving(0, token=None) as port, socket.create_connection(("127.0.0.1", port)):
        assert get(port)[0] == 200


def test_a_port_that_is_taken_is_an_error() -> None:
    with (
        serving(0, token=None) as port,
        pytest.raises(OSError, match="in use"),
        serving(port, token=None),
    ):
        pass
