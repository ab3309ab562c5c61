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

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # it has no types
    TConn,
    ThreadWorker,
)

_HEAD_SECONDS = 10.0
_HEAD_LIMIT_BYTES = 64 * 1024
_HEAD_ENDS = b"\r\n\r\n"


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that waits for a request's head without a thread."""

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, or wait for the rest of its request's head."""
        seen_bytes = None if self._is_taken_as_it_is(conn) else _incomplete_bytes(conn.sock)
        if seen_bytes is None:
            # The threads read as much as there is.
            _wake_at(conn.sock, more_than_bytes=0)
            conn.data_ready = True
            super().enqueue_req(conn)
        elif seen_bytes > _HEAD_LIMIT_BYTES:
            self.nr_conns -= 1
            conn.close()
        else:
            self._wait_for_more(conn, seen_bytes)

    def _is_taken_as_it_is(self, conn: TConn) -> bool:
        """Tell whether a head cannot be looked at: it is encrypted, or was read ahead."""
        is_read_ahead = conn.parser is not None and conn.parser.unreader.buf.getvalue()
        return bool(self.cfg.is_ssl or is_read_ahead)

    def _wait_for_more(self, conn: TConn, seen_bytes: int) -> None:
        if not conn.data_ready:
            conn.timeout = time.monotonic() + _HEAD_SECONDS
        _wake_at(conn.sock, more_than_bytes=seen_bytes)
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, readable)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """A kept connection begins its next request: its time begins anew."""
        conn.data_ready = False
        super().on_client_socket_readable(conn, client)

    def murder_pending(self) -> None:
        """Close every connection whose head did not come in time, in whatever order they wait."""
        now = time.monotonic()
        for conn in [each for each in self.pending_conns if each.timeout <= now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()


def _incomplete_bytes(sock: socket.socket) -> int | None:
    """Return how much of a request's head is here; None when it is whole, or nothing comes."""
    sock.setblocking(False)
    try:
        head = sock.recv(_HEAD_LIMIT_BYTES + 1, socket.MSG_PEEK)
    except BlockingIOError:
        return 0
    except OSError:
        return None
    return None if not head or _HEAD_ENDS in head else len(head)


def _wake_at(sock: socket.socket, *, more_than_bytes: int) -> None:
    """Let a socket count as readable only with more bytes than these: none of them is read yet."""
    with suppress(OSError):  # one that is gone is told so by whoever reads it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, more_than_bytes + 1)
