"""Answer the notifications that are here whole in one thread, and commit them together.

To wake a thread for each costs several times what a notification costs otherwise. Under load those
that come while a batch is committed are the next batch; without load each is a batch of its own.
"""

from __future__ import annotations

import fcntl
import re
import socket
import struct
import termios
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]  # it has no types

from receiver.store.inbox.group_commit import Ended
from receiver.store.inbox.inbox import Inbox

_PATH = b"POST /notifications/"
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n)")
_MAY_TAKE_LONGER = (b"\r\ntransfer-encoding:", b"\r\nexpect:", b"\r\nupgrade:")
_MOST = 64

Answered = list[tuple[TConn, Ended[Any]]]


class NotificationBatcher:
    """The connections of one worker on which a whole notification waits to be answered."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        handle: Callable[[TConn], Any],
        finish: Callable[[Answered], None],
    ) -> None:
        """``handle`` answers one request of a connection; ``finish`` takes what was answered."""
        self._inbox = inbox
        self._handle = handle
        self._finish = finish
        self._lock = threading.Lock()
        self._waiting: list[TConn] = []
        self._is_busy = False
        # Of its own: notifications wait for nobody who waits for Facebook.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notifications")

    def add(self, connection: TConn) -> None:
        """Let a connection's notification be answered with the next batch."""
        with self._lock:
            self._waiting.append(connection)
            is_busy, self._is_busy = self._is_busy, True
        if not is_busy:
            self._thread.submit(self._answer_all)

    def close(self) -> None:
        """Answer what waits, and end."""
        self._thread.shutdown()

    def _answer_all(self) -> None:
        while connections := self._take():
            jobs = [partial(self._handle, connection) for connection in connections]
            answered = self._inbox.run_together(jobs)
            self._finish(list(zip(connections, answered, strict=True)))

    def _take(self) -> list[TConn]:
        with self._lock:
            taken, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            self._is_busy = bool(taken)
        return taken


def is_whole_notification(request: bytes) -> bool:
    """Tell whether these bytes are one notification with all of its body, as far as one can see.

    What is not sure is not taken for one: it would be waited for in the thread of all others.
    """
    if not request.startswith(_PATH):
        return False
    head, _, body = request.partition(_HEAD_ENDS)
    lowered = head.lower() + b"\r\n"
    lengths = _LENGTH.findall(lowered)
    if len(lengths) != 1 or any(name in lowered for name in _MAY_TAKE_LONGER):
        return False
    return int(lengths[0]) == len(body)


def takes_answers(sock: socket.socket) -> bool:
    """Tell whether a sender takes what it is answered: writing to one that does not would block."""
    unsent = fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0")
    (unsent_bytes,) = struct.unpack("i", unsent)
    return bool(unsent_bytes == 0)
