"""Total deadlines for sockets.

A socket's own time-out starts anew with every byte, so a peer that drips one byte at a time is
never late. Here one thread of the process shuts down the sockets whose time is over; whoever was
reading sees the end of the stream.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator

_FOREVER_SECONDS = 3600.0
_TICK_SECONDS = 0.05


class Guard:
    """What ``SocketDeadlines.guard`` yields: ``expired`` says whether the socket was shut down."""

    def __init__(self, sock: socket.socket, *, how: int) -> None:
        self._sock = sock
        self._how = how
        self._lock = threading.Lock()
        self._released = False
        self.expired = False

    def expire(self) -> None:
        """Shut the socket down, unless it was released before."""
        with self._lock:
            if self._released:
                return
            self.expired = True
            with contextlib.suppress(OSError):
                # The plain socket's method: that of a TLS socket would drop the encryption.
                socket.socket.shutdown(self._sock, self._how)

    def release(self) -> None:
        with self._lock:
            self._released = True


class SocketDeadlines:
    """The guarded sockets of one process. Its thread is started by the first guard.

    Neither the thread nor a lock that somebody held survives a fork, so a child begins anew.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Guard]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def guard(
        self, sock: socket.socket, *, seconds: float, how: int = socket.SHUT_RDWR
    ) -> Iterator[Guard]:
        """Shut ``sock`` down when the block still runs after ``seconds``."""
        guard = Guard(sock, how=how)
        with self._changed:
            self._start_thread()
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), guard))
            if self._heap[0][2] is guard:
                self._changed.notify()
        try:
            yield guard
        finally:
            guard.release()

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="socket-deadlines", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(self._seconds_to_next())
                due = self._take_due()
            for guard in due:
                guard.expire()
            # Most of what is due was released long ago: it is not worth to wake for each.
            time.sleep(_TICK_SECONDS)

    def _seconds_to_next(self) -> float:
        if not self._heap:
            return _FOREVER_SECONDS
        return max(0.0, self._heap[0][0] - time.monotonic())

    def _take_due(self) -> list[Guard]:
        due = []
        while self._heap and self._heap[0][0] <= time.monotonic():
            due.append(heapq.heappop(self._heap)[2])
        return due


socket_deadlines = SocketDeadlines()
"""One for the whole process: a second one would only be a second thread."""
