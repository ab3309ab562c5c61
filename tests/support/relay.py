"""A relay in front of a server: what it passes on can stop, as on a machine that stands still."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK_BYTES = 65_536


class Relay:
    """Passes bytes between its clients and one server, in both directions."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_silent = threading.Event()
        self._sockets = [self._listener]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def fall_silent(self) -> None:
        """Take what clients say from now on, and pass on nothing that the server says."""
        self._is_silent.set()

    def close(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def _start(self, do: object, *arguments: object) -> None:
        thread = threading.Thread(target=do, args=arguments)  # type: ignore[arg-type]  # one of the methods below
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                self._start(self._pass_on, client, server, False)
                self._start(self._pass_on, server, client, True)

    def _pass_on(self, source: socket.socket, target: socket.socket, is_server: bool) -> None:  # noqa: FBT001  # a thread's arguments go by position
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if not (is_server and self._is_silent.is_set()):
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(host: str, port: int) -> Iterator[Relay]:
    """Relay to a server for the block."""
    relay = Relay(host, port)
    try:
        yield relay
    finally:
        relay.close()
