"""What is answered in the thread of all notifications: only what nobody has to wait for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from receiver.store.database import Database
from receiver.store.inbox.group_commit import Ended
from receiver.store.inbox.inbox import Inbox
from receiver.store.models import Notification
from receiver.web.notification_batcher import (
    NotificationBatcher,
    is_whole_notification,
    takes_answers,
)
from tests.support.rows import new_notification, rows

HEAD = b"POST /notifications/x HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def inbox(database: Database) -> Iterator[Inbox]:
    with closing(Inbox(database)) as opened:
        yield opened


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 4\r\n\r\nid=1",
        HEAD + b"content-length:4\r\nX-Other: 1\r\n\r\nid=1",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 6\r\n\r\n\r\n\r\n\r\n",
    ],
)
def test_a_notification_that_is_here_whole_is_one(request_bytes: bytes) -> None:
    assert is_whole_notification(request_bytes)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        HEAD + b"Content-Length: 4\r\n\r\nid=",
        HEAD + b"Content-Length: 4\r\n\r\nid=1POST /notifications/x HTTP/1.1\r\n\r\n",
        HEAD + b"\r\n",
        HEAD + b"X-Content-Length: 4\r\n\r\nid=1",
        HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nid=1",
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nid=1",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\nid=1",
        HEAD + b"Content-Length: 4\r\nUpgrade: h2c\r\n\r\nid=1",
        HEAD + b"Content-Length: +4\r\n\r\nid=1",
        HEAD + b"Content-Length: 4, 4\r\n\r\nid=1",
        b"GET /notifications/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /act_1/asyncadrequestsets HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_may_have_to_be_waited_for_is_none(request_bytes: bytes) -> None:
    assert not is_whole_notification(request_bytes)


def test_a_sender_that_reads_no_answer_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
        with sender, served:
            assert takes_answers(served)
            served.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    served.send(b"x" * 65_536)
            assert not takes_answers(served)


def test_each_connection_is_answered_once_its_notification_is_kept(
    database: Database, inbox: Inbox
) -> None:
    finished: list[tuple[Any, int]] = []
    all_done = threading.Event()

    def finish(answered: list[tuple[Any, Ended[Any]]]) -> None:
        finished.extend((number, future.result()) for number, future in answered)
        if len(finished) == 200:
            all_done.set()

    def handle(number: int) -> int:
        inbox.keep(new_notification(number))
        return number

    batcher = NotificationBatcher(inbox, handle=handle, finish=finish)
    for number in range(1, 201):
        batcher.add(number)
    assert all_done.wait(30)
    batcher.close()

    assert sorted(finished) == [(number, number) for number in range(1, 201)]
    assert sorted(row.request_set_id for row in rows(database, Notification)) == list(range(1, 201))
