"""Senders that drip: connections whose headers come a byte each half second and never end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CONNECTIONS = 64

_INTERVAL_SECONDS = 0.5
_HEAD_START_SECONDS = 1.0
_BEGINNING = b"POST /notifications/x HTTP/1.1\r\nX-Slow: "


@contextmanager
def dripping(port: int) -> Iterator[None]:
    """Keep 64 such connections for the time of the block; one that is closed comes anew."""
    held = [_connect(port) for _ in range(CONNECTIONS)]
    ends = threading.Event()

    def drip() -> None:
        while not ends.wait(_INTERVAL_SECONDS):
            for index, one in enumerate(held):
                try:
                    one.sendall(b"x")
                except OSError:
                    one.close()
                    with suppress(OSError):
                        held[index] = _connect(port)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        # Until each of them had its first bytes read.
        time.sleep(_HEAD_START_SECONDS)
        yield
    finally:
        ends.set()
        thread.join()
        for one in held:
            one.close()


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=_INTERVAL_SECONDS)
    connection.sendall(_BEGINNING)
    return connection
