"""Plain sockets, for what no HTTP client sends."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 30


def connect(url: str) -> socket.socket:
    """Connect to a URL's host; a context manager."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=_TIMEOUT_SECONDS)


def read_all(sock: socket.socket) -> bytes:
    """Read what comes until the other side closes, in whatever manner."""
    answer = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(4096):
            answer += part
    return bytes(answer)
