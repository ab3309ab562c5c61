"""Load over kept connections: each connection makes one call after the other until time is up."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 4

_TIMEOUT_SECONDS = 30
_RECEIVED_AT_ONCE_BYTES = 65_536


@dataclass(frozen=True)
class Kind:
    """A kind of call: its share of the mix in percent, and the requests to choose from."""

    name: str
    percent: int
    requests: Sequence[bytes]


@dataclass(frozen=True)
class Sample:
    """One call that was answered."""

    kind: str
    seconds: float


@dataclass(frozen=True)
class Round:
    """What was answered within one stretch of load."""

    samples: list[Sample]
    seconds: float

    @property
    def calls_per_second(self) -> float:
        return len(self.samples) / self.seconds


def request_bytes(method: str, target: str, *, form: bytes = b"", host: str = "127.0.0.1") -> bytes:
    """Write an HTTP call; with ``form``, its body and the head that goes with one."""
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: benchmark\r\n"
    if form:
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        head += f"Content-Length: {len(form)}\r\n"
    return f"{head}\r\n".encode() + form


def load(url: str, mix: Sequence[Kind], *, seconds: float, seed: int) -> Round:
    """Call a server for so many seconds. Raises ValueError for any answer but 200."""
    begun_at = time.perf_counter()
    until = begun_at + seconds
    with ThreadPoolExecutor(CONNECTIONS) as connections:
        running = [
            connections.submit(_call_until, url, mix, until=until, seed=seed + number)
            for number in range(CONNECTIONS)
        ]
        samples = [sample for each in running for sample in each.result()]
    return Round(samples, time.perf_counter() - begun_at)


def _call_until(url: str, mix: Sequence[Kind], *, until: float, seed: int) -> list[Sample]:
    chance = random.Random(seed)  # noqa: S311  # the same mix in every run, and no secret
    weights = [kind.percent for kind in mix]
    address = urlsplit(url)
    samples: list[Sample] = []
    with socket.create_connection(
        (address.hostname, address.port or 80), timeout=_TIMEOUT_SECONDS
    ) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until:
            (kind,) = chance.choices(mix, weights)
            request = chance.choice(kind.requests)
            sent_at = time.perf_counter()
            connection.sendall(request)
            _read_answer(connection)
            samples.append(Sample(kind.name, time.perf_counter() - sent_at))
    return samples


def _read_answer(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1] != b"200":
        raise ValueError(f"The server answered {received[:500]!r}")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    received = connection.recv(_RECEIVED_AT_ONCE_BYTES)
    if not received:
        raise ValueError("The server closed the connection.")
    return received
