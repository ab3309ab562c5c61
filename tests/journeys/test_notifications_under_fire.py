"""Whatever becomes of the processes, what was answered 2xx is in SQL, once, as it came."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from receiver.store.models import Notification
from tests.support.processes import Installation, eventually
from tests.support.sockets import connect

pytestmark = pytest.mark.drill

SENDERS = 32
SECONDS = 8.0
KILLS = 4


def processes_of(parent: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
    return [int(child) for child in children.split()]


class Sender:
    """Sends one notification after the other, each on a token of its own, over kept connections.

    Every second one comes in two pieces: its body after its head.
    """

    def __init__(self, installation: Installation, *, number: int) -> None:
        self._installation = installation
        self._next = number * 1_000_000
        self.taken: list[int] = []

    def send_until(self, ends_at: float) -> None:
        while time.monotonic() < ends_at:
            # Whoever is killed takes the connections with it.
            with suppress(OSError), connect(self._installation.url) as sock:
                while time.monotonic() < ends_at and self._send(sock):
                    pass

    def _send(self, sock: socket.socket) -> bool:
        self._next += 1
        intent = self._next
        token = self._installation.parts.keys.sign_token(intent=intent, attempt=1)
        body = f"id={intent}".encode()
        head = f"POST /notifications/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
        pieces = [head.encode() + b"\r\n\r\n", body]
        for piece in pieces if intent % 2 else [b"".join(pieces)]:
            sock.sendall(piece)
        answer = b""
        while not answer.endswith(b"\r\n\r\nOK"):
            part = sock.recv(4096)
            if not part:
                return False
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 ")
        self.taken.append(intent)
        return True


def test_what_was_taken_outlives_workers_that_are_killed(installation: Installation) -> None:
    web = installation.start_web("--workers", "2")
    senders = [Sender(installation, number=number) for number in range(1, SENDERS + 1)]
    ends_at = time.monotonic() + SECONDS
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(sender.send_until, ends_at) for sender in senders]
        for _ in range(KILLS):
            threading.Event().wait(SECONDS / (KILLS + 1))
            workers = eventually(lambda: processes_of(web), what="a worker")
            os.kill(random.choice(workers), signal.SIGKILL)
        for each in sending:
            each.result()

    taken = {intent for sender in senders for intent in sender.taken}
    with installation.parts.database.reading() as session:
        kept = session.execute(select(Notification.request_set_id, Notification.body)).all()
    assert len(taken) > 500
    assert taken <= {intent for intent, _ in kept}
    assert len(kept) == len({intent for intent, _ in kept})
    assert all(body == f"id={intent}".encode() for intent, body in kept)
