from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest
import requests

from tests.support.sandbox import GraphCaller, SandboxControl
from tests.support.sandbox_objects import create_set


@pytest.mark.parametrize(
    ("kind", "effect", "status", "body", "exists"),
    [
        ("not_json", None, 200, "for (;;);", True),
        ("not_json", "none", 200, "for (;;);", False),
        ("no_id", None, 200, "{}", True),
        ("null", None, 200, "null", True),
        ("null", "none", 200, "null", False),
    ],
)
def test_an_answer_without_an_id_says_nothing_of_the_effect(
    sandbox: SandboxControl,
    graph: GraphCaller,
    *,
    kind: str,
    effect: str | None,
    status: int,
    body: str,
    exists: bool,
) -> None:
    sandbox.trouble(kind, **({} if effect is None else {"effect": effect}))
    answer = create_set(graph)
    assert (answer.status_code, answer.text) == (status, body)
    assert len(sandbox.ledger()) == int(exists)


@pytest.mark.parametrize("effect", ["none", "before"])
def test_a_graph_error_may_be_any(sandbox: SandboxControl, graph: GraphCaller, effect: str) -> None:
    sandbox.trouble(
        "graph_error",
        code=80004,
        subcode=2446079,
        http_status=403,
        is_transient=True,
        effect=effect,
    )
    answer = create_set(graph)
    error = answer.json()["error"]
    assert answer.status_code == 403
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (80004, 2446079, True)
    assert len(sandbox.ledger()) == int(effect == "before")
    assert "X-Business-Use-Case-Usage" in answer.headers


def test_an_error_may_come_with_200(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("error_in_200", code=190, message="Gone\r\nSet-Cookie: x")
    answer = create_set(graph)
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, 190)


def test_a_message_never_breaks_a_header(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("graph_error", code=190, message="Gone\r\nSet-Cookie: ü")
    answer = create_set(graph)
    assert answer.json()["error"]["code"] == 190
    assert "Set-Cookie" not in answer.headers


def test_an_http_error_is_a_page(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("http_error", status=503)
    answer = create_set(graph)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "exists"), [("reset", False), ("commit_then_drop", True), ("cut", True)]
)
def test_a_connection_breaks_before_or_after_the_effect(
    sandbox: SandboxControl, graph: GraphCaller, *, kind: str, exists: bool
) -> None:
    sandbox.trouble(kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        create_set(graph)
    assert len(sandbox.ledger()) == int(exists)
    assert create_set(graph).status_code == 200


@pytest.mark.parametrize("effect", ["before", "after"])
def test_a_held_call_waits_for_its_release(
    sandbox: SandboxControl, graph: GraphCaller, effect: str
) -> None:
    sandbox.trouble("hold", effect=effect)
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(create_set(graph)))
    thread.start()
    wait_for(lambda: sandbox.calls()["totals"]["calls"] == 1)
    if effect == "before":
        wait_for(lambda: len(sandbox.ledger()) == 1)
    assert len(sandbox.ledger()) == int(effect == "before")
    wait_for(lambda: sandbox.release() == 1)
    thread.join(10)
    assert answers[0].json()["id"] == sandbox.ledger()[0]["id"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_slow_answer_comes_in_the_end(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.trouble("slow", seconds=0.1)
    began = time.monotonic()
    assert create_set(graph).status_code == 200
    assert time.monotonic() - began >= 0.1


def test_latency_is_added_to_every_operation(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.latency(0, operation_latency_ms=40)
    began = time.monotonic()
    graph.post("/", batch=json.dumps([{"method": "GET", "relative_url": "me"}] * 3))
    assert time.monotonic() - began >= 0.12


def test_latency_is_added_to_every_call(sandbox: SandboxControl, graph: GraphCaller) -> None:
    sandbox.latency(60)
    began = time.monotonic()
    create_set(graph)
    create_set(graph)
    assert time.monotonic() - began >= 0.12
