"""Read a request's body within a limit and a deadline."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Request

from receiver.deadline import Guard, socket_deadlines

_CHUNK_BYTES = 8192
_DISCARD_BYTES = 1024 * 1024
"""How much beyond the limit is read and thrown away, so that an honest sender gets its answer."""


@dataclass(frozen=True)
class Body:
    """What was read, and why it is not whole: ``size``, ``deadline``, or None when it is."""

    data: bytes
    cut: str | None


@contextlib.contextmanager
def reading_deadline(request: Request, *, seconds: float) -> Iterator[Guard | None]:
    """End the body's stream after ``seconds``, however slowly its bytes drip in.

    Only gunicorn hands out the socket; under another server the block runs without a deadline.
    """
    sock = request.environ.get("gunicorn.socket")
    if sock is None:
        yield None
        return
    # Only the reading half: the answer must still reach the sender.
    with socket_deadlines.guard(sock, seconds=seconds, how=socket.SHUT_RD) as guard:
        yield guard


def read_body(request: Request, *, limit_bytes: int, deadline_seconds: float) -> Body:
    """Read at most ``limit_bytes`` of the body; what came before a sender broke off is kept."""
    request.max_content_length = None
    data = bytearray()
    # A sender that breaks off ends the body like one that is done.
    with (
        reading_deadline(request, seconds=deadline_seconds) as guard,
        contextlib.suppress(OSError),
    ):
        while len(data) < limit_bytes + _DISCARD_BYTES:
            chunk = request.stream.read(_CHUNK_BYTES)
            if not chunk:
                break
            data += chunk
    if len(data) > limit_bytes:
        return Body(bytes(data[:limit_bytes]), cut="size")
    return Body(bytes(data), cut="deadline" if guard is not None and guard.expired else None)
