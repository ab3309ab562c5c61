"""gunicorn's threads, for which only whole heads of requests are worth waiting.

``gthread`` gives a connection a thread with its first byte: 64 senders that drip their headers hold
every thread for as long as they please. Here they wait in the main loop, which costs nobody a
thread, and are closed when their time is over. The main loop itself waits for nobody: ``gthread``
halts it for two seconds with each sender that does not close a connection that is over.
"""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # it has no types
    TConn,
    ThreadWorker,
)

from receiver.store.inbox.group_commit import Ended
from receiver.web.context import inbox_of
from receiver.web.notification_batcher import (
    Answered,
    NotificationBatcher,
    is_whole_notification,
    takes_answers,
)

_HEAD_SECONDS = 10.0
_HEAD_LIMIT_BYTES = 64 * 1024
_HEAD_ENDS = b"\r\n\r\n"
_LINGER_SECONDS = 2.0
_DRAINED_BYTES = 64 * 1024


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that waits for a request's head without a thread."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_ends_at: dict[TConn, float] = {}
        self._lingering: set[TConn] = set()
        self._batcher: NotificationBatcher | None = None

    def run(self) -> None:
        """Serve, once the application is loaded."""
        inbox = inbox_of(self.wsgi)
        if inbox is not None:
            self._batcher = NotificationBatcher(
                inbox,
                handle=self._handle_in_one_piece,
                finish=partial(self.method_queue.defer, self._finish_all),
            )
        super().run()
        if self._batcher is not None:
            self._batcher.close()

    def _handle_in_one_piece(self, conn: TConn) -> Any:
        """Send the head and the body of an answer together: gunicorn writes one after the other."""
        conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        goes_on = self.handle(conn)
        with suppress(OSError):  # it may be closed by now
            conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        return goes_on

    def _finish_all(self, answered: Answered) -> None:
        for conn, future in answered:
            self.finish_request(conn, future)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, or wait for the rest of its request's head."""
        # What is encrypted cannot be looked at.
        waiting = None if self.cfg.is_ssl else _peek(conn.sock)
        if waiting is None:
            self._give_thread(conn)
        elif _HEAD_ENDS in (ahead := _read_ahead(conn)) + waiting:
            self._answer(conn, b"" if ahead else waiting)
        elif len(waiting) > _HEAD_LIMIT_BYTES or _has_ended(conn.sock, len(waiting)):
            self._close(conn)
        else:
            self._wait_for_more(conn, len(waiting))

    def _answer(self, conn: TConn, request: bytes) -> None:
        """Answer a request whose head is whole; an empty one stands for what was read already."""
        batcher = self._batcher
        if batcher and is_whole_notification(request) and takes_answers(conn.sock):
            self._has_head(conn)
            batcher.add(conn)
        else:
            self._give_thread(conn)

    def _give_thread(self, conn: TConn) -> None:
        self._has_head(conn)
        super().enqueue_req(conn)

    def _has_head(self, conn: TConn) -> None:
        if self._head_ends_at.pop(conn, None) is not None:
            # Whoever reads it takes as much as there is.
            _wake_at(conn.sock, more_than_bytes=0)
        conn.data_ready = True

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

    def finish_request(self, conn: TConn, fs: Future[Any] | Ended[Any]) -> None:
        """Wait for a connection's next request; where it is over, for its sender to close it."""
        is_over = fs.cancelled() or (fs.exception() is None and not fs.result())
        if is_over and not self.cfg.is_ssl:
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def _linger(self, conn: TConn) -> None:
        """Close our side. To close all at once would take back the end of an answer.

        What a sender had yet to say would be answered by a reset, which overtakes what it has not
        read (RFC 9112, 9.6).
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + _LINGER_SECONDS
        self._lingering.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: TConn, sock: socket.socket) -> None:
        try:
            has_ended = len(sock.recv(_DRAINED_BYTES)) in (0, _DRAINED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            has_ended = True
        if has_ended:
            self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        self._lingering.discard(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def murder_pending(self) -> None:
        """Close every connection whose time is over, in whatever order they wait."""
        now = time.monotonic()
        for conn in [each for each in self.pending_conns if each.timeout <= now]:
            self.pending_conns.remove(conn)
            self._let_go(conn)
        for conn in [each for each in self._lingering if each.timeout <= now]:
            self._let_go(conn)
        self._make_room()

    def _make_room(self) -> None:
        """Let the oldest idle connection go where no more may be held: who comes next is heard."""
        idle = self.keepalived_conns or self.pending_conns
        if idle and self.nr_conns >= self.worker_connections:
            self._let_go(idle.popleft())


def _read_ahead(conn: TConn) -> bytes:
    """Return what was read of a connection's next request together with the one before."""
    ahead: bytes = b"" if conn.parser is None else conn.parser.unreader.buf.getvalue()
    return ahead


def _peek(sock: socket.socket) -> bytes | None:
    """Look at what waits in a socket; None where its sender has closed it, or it is broken."""
    try:
        return sock.recv(_HEAD_LIMIT_BYTES + 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


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
