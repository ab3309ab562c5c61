from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from receiver.sandbox.app import answer_call
from receiver.sandbox.calls.messages import Call
from receiver.sandbox.state import Sandbox
from tests.support.sandbox import GraphCaller, SandboxControl

CREATE = b'{"name": "set", "ad_specs": [{"adset_id": "5"}]}'
HEAD = b"POST /act_1/asyncadrequestsets?access_token=t HTTP/1.1\r\nHost: h\r\n"
HEAD += b"Content-Type: application/json\r\n"


@pytest.fixture
def raw(sandbox: SandboxControl) -> Iterator[socket.socket]:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        yield connection


def read_answer(connection: socket.socket) -> tuple[int, Any]:
    """Read one answer and leave what follows it."""
    with connection.makefile("rb", buffering=0) as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, json.loads(stream.read(length) or b"null")


def is_closed(connection: socket.socket) -> bool:
    return connection.recv(1) == b""


def test_a_connection_serves_many_calls(raw: socket.socket) -> None:
    for _ in range(3):
        raw.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(CREATE) + CREATE)
        status, answer = read_answer(raw)
        assert (status, list(answer)) == (200, ["id"])


def test_a_body_may_come_in_chunks(raw: socket.socket) -> None:
    chunks = b"5;x=y\r\n" + CREATE[:5] + b"\r\n%x\r\n" % len(CREATE[5:]) + CREATE[5:] + b"\r\n"
    for _ in range(2):
        raw.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nT: x\r\n\r\n")
        assert read_answer(raw)[0] == 200


def test_a_client_may_wait_for_leave_to_send(raw: socket.socket) -> None:
    raw.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(CREATE))
    assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    raw.sendall(CREATE)
    assert read_answer(raw)[0] == 200


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"FLY / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 999999999999\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ],
)
def test_nonsense_is_answered_with_a_graph_error_and_the_end(
    raw: socket.socket, nonsense: bytes
) -> None:
    raw.sendall(nonsense)
    status, answer = read_answer(raw)
    assert status >= 400
    assert answer["error"]["code"] == 1
    assert is_closed(raw)


def test_a_head_has_no_body(graph: GraphCaller) -> None:
    answer = graph.call("HEAD", "/act_1/asyncadrequestsets")
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.content == b""


def test_every_answer_carries_graphs_headers(graph: GraphCaller) -> None:
    good = graph.call("GET", "/v19.0/act_1/asyncadrequestsets").headers
    bad = graph.call("GET", "/v19.0/act_1/nonsense").headers
    for headers in (good, bad):
        assert headers["facebook-api-version"] == "v19.0"
        assert headers["x-fb-trace-id"]
        assert headers["Pragma"] == "no-cache"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert good["Cache-Control"] == "private, no-cache, no-store, must-revalidate"
    assert bad["Cache-Control"] == "no-store"
    assert graph.call("GET", "/404").headers["facebook-api-version"] == "v21.0"


def test_json_without_a_bottom_is_a_bad_parameter() -> None:
    deep = b'{"access_token": "t", "name": "set", "ad_specs": %s%s}' % (b"[" * 9999, b"]" * 9999)
    headers = {"content-type": "application/json"}
    call = Call("POST", "http://h", "/act_1/asyncadrequestsets", "", headers, deep)
    answer = answer_call(Sandbox(), call)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, 100)
