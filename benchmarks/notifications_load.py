"""Notifications over kept connections, sent and timed by one process that does nothing else.

With ``per_second`` they are sent when they are due, and their time runs from then on, whether a
connection is free or not: what waits because a server is slow is not left out. Without, each
connection sends its next one when the last was answered.
"""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

_RECEIVED_AT_ONCE_BYTES = 65_536
_CONNECT_SECONDS = 5.0
_DRAIN_SECONDS = 2.0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


class Messages(Protocol):
    """Writes the HTTP requests of some numbers, each a message that is sent once.

    ``most_per_second`` are kept ready: more than any server here answers.
    """

    @property
    def most_per_second(self) -> int: ...

    def build(self, numbers: range) -> list[bytes]: ...


@dataclass(frozen=True)
class Load:
    """What is sent, where and for how long; numbers begin with ``first``."""

    port: int
    first: int
    seconds: float
    per_second: float | None = None
    connections: int = 32

    def numbers(self, *, most_per_second: int) -> range:
        """As many as could be sent."""
        per_second = self.per_second or most_per_second
        return range(self.first, self.first + int(self.seconds * per_second) + self.connections)


@dataclass
class Answers:
    """What became of the messages.

    ``seconds`` holds the time that each answer took, and for what stayed without one the time that
    it had waited by then. ``in_time`` counts the 2xx within the load's own seconds.
    """

    accepted: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    in_time: int = 0
    refused: int = 0
    broken: int = 0
    unanswered: int = 0
    cpu_share: float = 0.0


def send(load: Load, messages: Messages) -> Answers:
    """Send messages as the load says. Raises ValueError when they do not last."""
    requests = messages.build(load.numbers(most_per_second=messages.most_per_second))
    # Nothing here is garbage before the end, and a search for it would be measured.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        return _Sending(load, requests).run()
    finally:
        gc.enable()
        gc.unfreeze()


@dataclass
class _Connection:
    sock: socket.socket
    received: bytes = b""
    index: int | None = None
    due_at: float = 0.0


class _Sending:
    def __init__(self, load: Load, requests: Sequence[bytes]) -> None:
        self._load = load
        self._requests = requests
        self._poll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque()
        self._sent = 0
        self._began_at = self._ends_at = 0.0
        self._answers = Answers()

    def run(self) -> Answers:
        try:
            for _ in range(self._load.connections):
                self._connect()
            self._load_and_drain()
        finally:
            self._close()
        return self._answers

    def _load_and_drain(self) -> None:
        cpu_seconds = time.process_time()
        self._began_at = time.perf_counter()
        self._ends_at = self._began_at + self._load.seconds
        self._send_what_is_due()
        self._answer_until(self._ends_at)
        self._answers.in_time = len(self._answers.accepted)
        self._answers.cpu_share = (time.process_time() - cpu_seconds) / self._load.seconds
        self._answer_until(self._ends_at + _DRAIN_SECONDS)
        self._note_unanswered()

    def _answer_until(self, ends_at: float) -> None:
        while (now := time.perf_counter()) < ends_at and self._is_under_way(now):
            for descriptor, _ in self._poll.poll(self._pause_seconds(now, ends_at)):
                self._read(self._connections[descriptor])
            self._send_what_is_due()

    def _is_under_way(self, now: float) -> bool:
        return now < self._ends_at or len(self._idle) < len(self._connections)

    def _pause_seconds(self, now: float, ends_at: float) -> float:
        if self._load.per_second is None or not self._idle:
            return ends_at - now
        return max(0.0, min(ends_at, self._due_at()) - now)

    def _due_at(self) -> float:
        if self._load.per_second is None:
            return time.perf_counter()
        return self._began_at + self._sent / self._load.per_second

    def _send_what_is_due(self) -> None:
        while self._idle:
            due_at = self._due_at()
            if due_at >= self._ends_at or due_at > time.perf_counter():
                return
            self._send(self._idle.popleft(), due_at)

    def _send(self, connection: _Connection, due_at: float) -> None:
        if self._sent == len(self._requests):
            raise ValueError("The server answered more than was kept ready")
        request = self._requests[self._sent]
        connection.index, connection.due_at = self._sent, due_at
        self._sent += 1
        try:
            is_whole = connection.sock.send(request) == len(request)
        except OSError:
            is_whole = False
        if not is_whole:
            self._replace(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(_RECEIVED_AT_ONCE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._replace(connection)
            return
        connection.received += data
        if _is_whole(connection.received):
            self._note(connection)
            self._idle.append(connection)
            # Whoever was answered asks again at once, not after what others were told.
            self._send_what_is_due()

    def _note(self, connection: _Connection) -> None:
        if connection.index is None:
            raise ValueError(f"The server answered nothing by {connection.received[:500]!r}")
        self._answers.seconds.append(time.perf_counter() - connection.due_at)
        if connection.received[9:10] == b"2":
            self._answers.accepted.append(self._load.first + connection.index)
        else:
            self._answers.refused += 1
        connection.received, connection.index = b"", None

    def _connect(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self._load.port), timeout=_CONNECT_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        connection = _Connection(sock)
        self._connections[sock.fileno()] = connection
        self._poll.register(sock.fileno(), select.EPOLLIN)
        self._idle.append(connection)

    def _replace(self, connection: _Connection) -> None:
        """Connect anew for one that the server closed, with or without a message under way."""
        self._answers.broken += connection.index is not None
        self._poll.unregister(connection.sock.fileno())
        del self._connections[connection.sock.fileno()]
        if connection in self._idle:
            self._idle.remove(connection)
        connection.sock.close()
        self._connect()

    def _note_unanswered(self) -> None:
        """Note how long what is under way has waited, and what was due and could not be sent."""
        now = time.perf_counter()
        under_way = [one.due_at for one in self._connections.values() if one.index is not None]
        while self._load.per_second is not None and self._due_at() < self._ends_at:
            under_way.append(self._due_at())
            self._sent += 1
        self._answers.unanswered = len(under_way)
        self._answers.seconds.extend(now - due_at for due_at in under_way)

    def _close(self) -> None:
        for connection in self._connections.values():
            connection.sock.close()
        self._poll.close()


def _is_whole(answer: bytes) -> bool:
    head_bytes = answer.find(b"\r\n\r\n") + 4
    if head_bytes == 3:  # noqa: PLR2004  # find's -1
        return False
    length = _LENGTH.search(answer, 0, head_bytes)
    if length is None:
        # In chunks, which a view gets that does not say how long its answer is.
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= head_bytes + int(length[1])
