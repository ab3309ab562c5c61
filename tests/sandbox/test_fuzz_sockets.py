"""Whatever bytes come, the sandbox's server answers them or hangs up, and goes on."""

from __future__ import annotations

import errno
import json
import re
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fuzz import bent
from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sockets import connect, read_all

FIRST_ERROR = 400
READ = "GET /v21.0/act_1?access_token=t HTTP/1.1\r\nHost: h\r\n\r\n"
CREATE = (
    "POST /act_1/asyncadrequestsets?access_token=t HTTP/1.1\r\nHost: h\r\n"
    "Content-Type: application/json\r\nContent-Length: 48\r\n\r\n"
    '{"name": "set", "ad_specs": [{"adset_id": "5"}]}'
)
CHUNKED = (
    "POST /act_1/asyncadrequestsets?access_token=t HTTP/1.1\r\nHost: h\r\n"
    "Transfer-Encoding: chunked\r\n\r\n8\r\nname=set\r\n0\r\n\r\n"
)
HEAD_OF_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def split_answers(received: bytes) -> list[tuple[int, Any]]:
    """Return the status and the JSON of each answer that came; all of it must be answers."""
    answers: list[tuple[int, Any]] = []
    while received:
        head = HEAD_OF_ANSWER.match(received)
        if head is None:  # the answer to HTTP/0.9 is a body alone
            return [*answers, (200, json.loads(received))]
        status, rest = int(head[1]), received[head.end() :]
        length = LENGTH.search(head[0])
        size = int(length[1]) if length and status not in (100, 304) else 0
        answers.append((status, json.loads(rest[:size] or b"null")))
        received = rest[size:]
    return answers


def send_and_hang_up(url: str, raw: bytes) -> list[tuple[int, Any]]:
    with connect(url) as sock:
        sock.sendall(raw)
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            # The server may have hung up first.
            if error.errno != errno.ENOTCONN:
                raise
        return split_answers(read_all(sock))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=bent((READ, CREATE, CHUNKED, READ + CREATE + CHUNKED + READ)) | st.binary(max_size=60))
def test_whatever_bytes_come_the_server_answers_or_hangs_up(
    sandbox: SandboxControl, graph: GraphCaller, raw: str | bytes
) -> None:
    sent = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    for status, shown in send_and_hang_up(sandbox.url, sent):
        if status >= FIRST_ERROR:
            assert shown["error"]["fbtrace_id"]
    assert graph.get("/act_1") == {"id": "act_1", "account_id": "1"}


@pytest.mark.parametrize("part", [1, 10, 60, 130, 160, len(CREATE) - 1])
def test_half_a_call_makes_nothing(sandbox: SandboxControl, part: int) -> None:
    answers = send_and_hang_up(sandbox.url, CREATE[:part].encode())
    assert all(status >= FIRST_ERROR for status, _ in answers)
    assert sandbox.ledger() == []


def test_calls_sent_in_one_go_are_answered_in_their_order(sandbox: SandboxControl) -> None:
    answers = send_and_hang_up(sandbox.url, (READ + CREATE + CHUNKED + READ).encode())
    assert [status for status, _ in answers] == [200, 200, 400, 200]
    (made,) = sandbox.ledger()
    assert answers[1][1] == {"id": made["id"]}
