"""gunicorn's threads, which get a connection only once the head of its request is here whole.

``gthread`` gives a connection a thread with its first byte: 64 senders that drip their headers hold
every thread for as long as they please. Here they wait in the main loop, which costs nobody a
thread, and are closed when their time is over.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # it has no types
    TConn,
    ThreadWorker,
)

_HEAD_SECONDS = 10.0
_HEAD_LIMIT_BYTES = 64 * 1024
_HEAD_ENDS = b"\r\n\r\n"


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that waits for a request's head without a thread."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_ends_at: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, or wait for the rest of its request's head."""
        # What is encrypted cannot be looked at.
        seen_bytes = None if self.cfg.is_ssl else _incomplete_bytes(conn.sock, _read_ahead(conn))
        if seen_bytes is None:
            self._give_thread(conn)
        elif seen_bytes > _HEAD_LIMIT_BYTES or _has_ended(conn.sock, seen_bytes):
            self._close(conn)
        else:
            self._wait_for_more(conn, seen_bytes)

    def _give_thread(self, conn: TConn) -> None:
        self._head_ends_at.pop(conn, None)
        # The threads read as much as there is.
        _wake_at(conn.sock, more_than_bytes=0)
        conn.data_ready = True
        super().enqueue_req(conn)

    def _close(self, conn: TConn) -> None:
        self._head_ends_at.pop(conn, None)
        self.nr_conns -= 1
        conn.close()

    def _wait_for_more(self, conn: TConn, seen_bytes: int) -> None:
        conn.timeout = self._head_ends_at.setdefault(conn, time.monotonic() + _HEAD_SECONDS)
        _wake_at(conn.sock, more_than_bytes=seen_bytes)
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, readable)

    def murder_pending(self) -> None:
        """Close every connection whose head did not come in time, in whatever order they wait."""
        now = time.monotonic()
        for conn in [each for each in self.pending_conns if each.timeout <= now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self._close(conn)


def _read_ahead(conn: TConn) -> bytes:
    """Return what was read of a connection's next request together with the one before."""
    ahead: bytes = b"" if conn.parser is None else conn.parser.unreader.buf.getvalue()
    return ahead


def _incomplete_bytes(sock: socket.socket, ahead: bytes) -> int | None:
    """Return how much of a head waits in a socket; None when it is whole, or nothing comes."""
    sock.setblocking(False)
    try:
        waiting = sock.recv(_HEAD_LIMIT_BYTES + 1, socket.MSG_PEEK)
    except BlockingIOError:
        waiting = b""
    except OSError:
        return None
    else:
        if not waiting:
            return None
    return None if _HEAD_ENDS in ahead + waiting else len(waiting)


def _has_ended(sock: socket.socket, seen_bytes: int) -> bool:
    """Tell whether a head in its middle will never be whole: it woke us without a byte more.

    Its sender has closed its side, or the kernel takes no more of it. Waiting for more would be
    answered at once, again and again.
    """
    return 0 < seen_bytes < sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)


def _wake_at(sock: socket.socket, *, more_than_bytes: int) -> None:
    """Let a socket count as readable only with more bytes than these: none of them is read yet."""
    with suppress(OSError):  # one that is gone is told so by whoever reads it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, more_than_bytes + 1)
