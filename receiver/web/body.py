"""Read a request's body within a limit and a deadline."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it ships no types
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from receiver.deadline import Guard, socket_deadlines

_CHUNK_BYTES = 8192
_DISCARD_BYTES = 1024 * 1024
"""How much beyond the limit is read and thrown away, so that an honest sender gets its answer."""

_BROKEN_OFF = (OSError, ClientDisconnected, ParseException)
"""What a stream raises whose sender hung up, or sent what is no HTTP."""


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
    # Not the request's own stream: the limit that Flask sets it refuses what is only to be cut.
    stream = get_input_stream(request.environ)
    data = bytearray()
    with reading_deadline(request, seconds=deadline_seconds) as guard:
        while len(data) < limit_bytes + _DISCARD_BYTES and (chunk := _read_chunk(stream)):
            data += chunk
    if len(data) > limit_bytes:
        return Body(bytes(data[:limit_bytes]), cut="size")
    return Body(bytes(data), cut="deadline" if guard is not None and guard.expired else None)


def _read_chunk(stream: IO[bytes]) -> bytes:
    """Read on. A sender that breaks off, or sends no valid chunks, ends the body like one done."""
    with contextlib.suppress(*_BROKEN_OFF):
        return stream.read(_CHUNK_BYTES)
    # gunicorn keeps what it had decoded of a chunked body until then for the next reading.
    with contextlib.suppress(*_BROKEN_OFF):
        return stream.read(_CHUNK_BYTES)
    return b""
