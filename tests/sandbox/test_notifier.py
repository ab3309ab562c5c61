from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.sandbox import GraphCaller, Listener, SandboxControl, listening

AD = {"name": "ad", "adset_id": "5"}
NOTIFICATION_FIELDS = "notification_status,notification_result"


def create(graph: GraphCaller, uri: str, *, account: str = "1") -> str:
    return graph.create(account, [AD], notification_mode="ON_COMPLETE", notification_uri=uri)


def wait_until_sent(graph: GraphCaller, set_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown: dict[str, Any] = graph.get(f"/{set_id}", fields=NOTIFICATION_FIELDS)
        if shown["notification_status"] == "SENT":
            return shown
        time.sleep(0.005)
    raise AssertionError("the notification was not sent")


def test_a_completed_set_notifies_once_with_its_id(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    set_id = create(graph, f"{listener.url}/hook/tok-en?a=1&b=%2F")
    (received,) = listener.wait_for(1)
    assert received.target == "/hook/tok-en?a=1&b=%2F"
    assert received.body == f"id={set_id}".encode()
    assert received.headers["Content-Type"] == "application/x-www-form-urlencoded"
    shown = wait_until_sent(graph, set_id)
    assert shown["notification_result"] == {"status": "200", "response": "OK"}
    (entry,) = sandbox.ledger()
    assert [attempt["status"] for attempt in entry["notification_attempts"]] == ["200"]


def test_a_set_that_is_off_notifies_nobody(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    quiet = graph.create("1", [AD], notification_uri=listener.url)
    wait_until_sent(graph, create(graph, listener.url))
    assert len(listener.received) == 1
    assert sandbox.ledger()[0]["id"] == quiet
    assert sandbox.ledger()[0]["notification_status"] == "NOT_SENT"


def test_a_set_that_progresses_by_time_notifies_though_nobody_reads(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", progress={"kind": "after_seconds", "seconds": 0.05})
    set_id = create(graph, listener.url)
    assert listener.wait_for(1)[0].body == f"id={set_id}".encode()


@pytest.mark.parametrize("way", ["complete", "advance", "cancel"])
def test_whatever_completes_a_set_notifies(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl, way: str
) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"})
    set_id = create(graph, listener.url)
    if way == "complete":
        sandbox.complete(set_id)
    elif way == "advance":
        sandbox.advance(set_id, requests=1)
    else:
        graph.delete(f"/{set_id}")
    listener.wait_for(1)


@pytest.mark.parametrize("kind", ["never", "lost", "error"])
def test_a_notification_that_is_not_sent_says_what_it_says(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl, kind: str
) -> None:
    sandbox.configure("1", notification={"kind": kind}, next_sets=1)
    silent = create(graph, listener.url)
    wait_until_sent(graph, create(graph, listener.url))
    assert len(listener.received) == 1
    shown = graph.get(f"/{silent}", fields=NOTIFICATION_FIELDS)
    expected: dict[str, dict[str, Any]] = {
        "never": {"notification_status": "NOT_SENT"},
        "lost": {
            "notification_status": "SENT",
            "notification_result": {"status": "200", "response": "OK"},
        },
        "error": {
            "notification_status": "SENT",
            "notification_result": {"status": "503", "response": "Service Unavailable"},
        },
    }
    assert shown == {"id": silent, **expected[kind]}


def test_a_late_notification_is_sent_after_its_time(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", notification={"kind": "late", "seconds": 0.2})
    wait_until_sent(graph, create(graph, listener.url))
    (entry,) = sandbox.ledger()
    completed = datetime.fromisoformat(entry["completed_time"])
    sent = datetime.fromisoformat(entry["notification_attempts"][0]["time"])
    assert sent - completed >= timedelta(seconds=0.2)


def test_a_notification_may_come_twice(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", notification={"kind": "twice"})
    set_id = create(graph, listener.url)
    assert [each.body for each in listener.wait_for(2)] == [f"id={set_id}".encode()] * 2


def test_a_notification_may_come_before_the_creates_answer(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    sandbox.configure("1", progress={"kind": "by_hand"}, notification={"kind": "before_answer"})
    set_id = create(graph, listener.url)
    assert [each.body for each in listener.received] == [f"id={set_id}".encode()]
    assert graph.get(f"/{set_id}", fields="notification_status")["notification_status"] == "SENT"


@pytest.mark.parametrize(
    ("style", "target", "body"),
    [
        ("form", "/hook?t=1", b"id=77"),
        ("json", "/hook?t=1", b'{"id": "77"}'),
        ("query", "/hook?t=1&id=77", b""),
        ("empty", "/hook?t=1", b""),
        ("garbage", "/hook?t=1", b'\x00\xff\xfe{"id": not json'),
    ],
)
def test_a_body_may_have_any_style_and_name_another_set(
    graph: GraphCaller,
    listener: Listener,
    sandbox: SandboxControl,
    style: str,
    target: str,
    body: bytes,
) -> None:
    sandbox.configure("1", notification={"body": style, "body_id": "77"})
    create(graph, f"{listener.url}/hook?t=1")
    (received,) = listener.wait_for(1)
    assert (received.target, received.body) == (target, body)


def test_a_refused_notification_is_sent_all_the_same_and_once(graph: GraphCaller) -> None:
    with listening(status=503, body=b"x" * 5000) as refusing:
        set_id = create(graph, refusing.url)
        shown = wait_until_sent(graph, set_id)
        assert shown["notification_result"] == {"status": "503", "response": "x" * 1000}
        assert len(refusing.received) == 1


def test_a_redirect_is_not_followed(graph: GraphCaller) -> None:
    with listening(status=302) as moved:
        shown = wait_until_sent(graph, create(graph, moved.url))
        assert shown["notification_result"]["status"] == "302"


@pytest.mark.parametrize(
    ("uri", "word"),
    [("http://127.0.0.1:1/", "connection_error"), ("http://a..b/", "error")],
)
def test_a_receiver_that_is_away_leaves_an_error_word(
    graph: GraphCaller, uri: str, word: str
) -> None:
    shown = wait_until_sent(graph, create(graph, uri))
    assert shown["notification_result"] == {"status": word, "response": ""}


def test_a_slow_receiver_holds_nobody_else_up(
    graph: GraphCaller, listener: Listener, sandbox: SandboxControl
) -> None:
    sandbox.trouble("hold", path="/slow$")
    slow = create(graph, f"{sandbox.url}/slow")
    create(graph, listener.url)
    listener.wait_for(1)
    shown = graph.get(f"/{slow}", fields=NOTIFICATION_FIELDS)
    assert shown == {"id": slow, "notification_status": "SENDING"}
    assert graph.post(f"/{slow}", notification_mode="OFF")["error"]["code"] == 100
    while not sandbox.release():
        time.sleep(0.005)
