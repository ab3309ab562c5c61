"""Read a request's body within a limit and a deadline, and never wait for one that nobody wants."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it ships no types
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import LimitedStream, get_content_length, get_input_stream

from receiver.deadline import Guard, socket_deadlines

Environ = dict[str, Any]
"""What WSGI says of a request."""

_CHUNK_BYTES = 8192
_DISCARD_BYTES = 64 * 1024 * 1024
"""How much beyond the limit is read and thrown away, so that an honest sender gets its answer."""

_UNWANTED_BYTES = 64 * 1024
_UNWANTED_SECONDS = 0.25
"""How long, and how large, a body may be that is only read to keep its connection usable."""

_IS_WHOLE = "receiver.body_is_whole"
_BROKEN_OFF = (OSError, ClientDisconnected, ParseException)
"""What a stream raises whose sender hung up, or sent what is no HTTP."""


@dataclass(frozen=True)
class Body:
    """What was read, and why it is not whole; ``cut`` is None when it is.

    ``size``: it is longer than the limit. ``deadline``: it came too slowly. ``hangup``: its sender
    hung up before the end, or sent what is no HTTP.
    """

    data: bytes
    cut: str | None


def read_body(environ: Environ, *, limit_bytes: int, deadline_seconds: float) -> Body:
    """Read at most ``limit_bytes`` of the body; what came before a sender broke off is kept."""
    length_bytes = get_content_length(environ) or 0
    if length_bytes <= limit_bytes and _is_here(environ, length_bytes):
        environ[_IS_WHOLE] = True
        return Body(environ["wsgi.input"].read(length_bytes), cut=None)
    data = bytearray()
    cut = _read(environ, data.extend, limit_bytes=limit_bytes, deadline_seconds=deadline_seconds)
    return Body(bytes(data), cut=cut)


def spool_body(
    environ: Environ, file: IO[bytes], *, limit_bytes: int, deadline_seconds: float
) -> str | None:
    """Read at most ``limit_bytes`` of the body into a file; return why it is not whole, if so.

    The reasons are those of ``Body.cut``.
    """
    return _read(environ, file.write, limit_bytes=limit_bytes, deadline_seconds=deadline_seconds)


def _is_here(environ: Environ, length_bytes: int) -> bool:
    """Tell whether gunicorn read a body of known length together with its head.

    There is nothing to wait for then, and a deadline costs more than the reading.
    """
    reader = getattr(environ["wsgi.input"], "reader", None)
    unreader = getattr(reader, "unreader", None)
    return unreader is not None and 0 < length_bytes <= len(unreader.buf.getvalue())


def _read(
    environ: Environ,
    keep: Callable[[bytes], object],
    *,
    limit_bytes: int,
    deadline_seconds: float,
) -> str | None:
    # Not the request's own stream: the limit that Flask sets it refuses what is only to be cut.
    stream = get_input_stream(environ)
    kept = discarded = 0
    is_broken_off = False
    with _reading_deadline(environ, seconds=deadline_seconds) as guard:
        try:
            for chunk in _chunks(stream):
                piece = chunk[: limit_bytes - kept]
                keep(piece)
                kept += len(piece)
                discarded += len(chunk) - len(piece)
                if discarded > _DISCARD_BYTES:
                    break
        except _BROKEN_OFF:
            is_broken_off = True
    is_broken_off |= kept + discarded < (get_content_length(environ) or 0)
    is_late = guard is not None and guard.expired
    environ[_IS_WHOLE] = not (is_late or is_broken_off or discarded > _DISCARD_BYTES)
    return _why_cut(guard, discarded=discarded, is_broken_off=is_broken_off)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read to the end. Raises one of _BROKEN_OFF, after the last byte that came before."""
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
    except _BROKEN_OFF:
        # gunicorn keeps what it had decoded of a chunked body until then for the next reading.
        with contextlib.suppress(*_BROKEN_OFF):
            yield stream.read(_CHUNK_BYTES)
        raise


def _why_cut(guard: Guard | None, *, discarded: int, is_broken_off: bool) -> str | None:
    if discarded:
        return "size"
    if guard is not None and guard.expired:
        return "deadline"
    return "hangup" if is_broken_off else None


def put_back(request: Request, file: IO[bytes]) -> None:
    """Let Flask parse a body that was read, as if it had just come."""
    length_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    request.environ["wsgi.input"] = file
    request.environ["CONTENT_LENGTH"] = str(length_bytes)


def end_unread_body(environ: Environ) -> None:
    """Leave nothing of a body for the server to wait for after the answer.

    gunicorn would wait five seconds, in a thread of its own, for the rest of a body that nobody
    read: a few strangers who announce one and send nothing would keep every thread. A short body
    that is there already is read, because the connection serves other senders behind a proxy.
    """
    sock = environ.get("gunicorn.socket")
    if sock is None or not _has_body(environ):
        return
    if _IS_WHOLE not in environ and (get_content_length(environ) or 0) <= _UNWANTED_BYTES:
        read_body(environ, limit_bytes=0, deadline_seconds=_UNWANTED_SECONDS)
    if not environ.get(_IS_WHOLE):
        # The rest may still arrive, and would be taken for the next request of this connection:
        # gunicorn closes one whose body failed.
        environ["wsgi.input"].failed = True
        with contextlib.suppress(OSError):
            # The plain socket's method: that of a TLS socket would drop the encryption.
            socket.socket.shutdown(sock, socket.SHUT_RD)


def was_parsed(request: Request) -> bool:
    """Tell whether Flask read the whole body itself, as a form or as JSON."""
    # Read once more, it would look like one whose sender hung up before its end.
    stream = vars(request).get("stream")
    length_bytes = request.content_length
    if not isinstance(stream, LimitedStream) or length_bytes is None:
        return False
    return stream.tell() >= length_bytes


def _has_body(environ: Environ) -> bool:
    return bool(get_content_length(environ)) or "HTTP_TRANSFER_ENCODING" in environ


@contextlib.contextmanager
def _reading_deadline(environ: Environ, *, seconds: float) -> Iterator[Guard | None]:
    """End the body's stream after ``seconds``, however slowly its bytes drip in.

    Only gunicorn hands out the socket; under another server the block runs without a deadline.
    """
    sock = environ.get("gunicorn.socket")
    if sock is None:
        yield None
        return
    # Only the reading half: the answer must still reach the sender.
    with socket_deadlines.guard(sock, seconds=seconds, how=socket.SHUT_RD) as guard:
        yield guard
