"""An HTTP server that answers any bytes, late, in drips, or not at all."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

_RECEIVE_BYTES = 65536
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, *, server: LyingServer) -> None:
        self._sock = sock
        self._server = server

    def read_request(self) -> bytes:
        """Read a whole request and keep it; nothing when the client has hung up."""
        request = b""
        while not _is_whole(request):
            received = self._sock.recv(_RECEIVE_BYTES)
            if not received:
                return b""
            request += received
        self._server.requests.append(request)
        return request

    def read_a_byte(self) -> None:
        """Wait until the client has begun to send."""
        self._sock.recv(1)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def drip(self, data: bytes, *, every_seconds: float = 0.02) -> None:
        """Send one byte at a time, over and over, until somebody hangs up."""
        while True:
            for number in data:
                self.send(bytes([number]))
                if self._server.stopped.wait(every_seconds):
                    return

    def wait(self) -> None:
        """Do nothing until the server is stopped."""
        self._server.stopped.wait()

    def reset(self) -> None:
        """Hang up without a goodbye."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Begin TLS."""
        # Kept before the handshake: one that fails must be closed, too.
        secured = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        self._sock = secured
        secured.do_handshake()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def _is_whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(separator) and len(body) >= (int(length[1]) if length else 0)


Behaviour = Callable[[Peer], None]


class LyingServer:
    """``behaviours`` are those of the first connections, in order; the last one goes on."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._behaviours = behaviours
        self._peers: list[Peer] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for peer in self._peers:
            peer.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            peer = Peer(sock, server=self)
            self._peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer, behaviour), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer, behaviour: Behaviour) -> None:
        # The client hangs up in the middle of many a lie.
        with contextlib.suppress(OSError):
            behaviour(peer)
        peer.close()


@contextmanager
def lying_server(*behaviours: Behaviour) -> Iterator[LyingServer]:
    server = LyingServer(*behaviours)
    try:
        yield server
    finally:
        server.stop()


def http_answer(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> bytes:
    """Write an honest answer."""
    lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Behaviour:
    """Read a request for each of these bytes and send them; the last ones go on."""

    def behave(peer: Peer) -> None:
        position = 0
        while peer.read_request():
            peer.send(answers[min(position, len(answers) - 1)])
            position += 1

    return behave


def cutting(data: bytes) -> Behaviour:
    """Read one request, send these bytes, and close the connection."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return behave


def dripping(head: bytes, drops: bytes) -> Behaviour:
    """Read one request, send ``head``, then ``drops`` one by one without end."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(head)
        peer.drip(drops)

    return behave


def silent_after_the_request(peer: Peer) -> None:
    peer.read_request()
    peer.wait()


def resetting_after_the_request(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def resetting_in_the_request(peer: Peer) -> None:
    peer.read_a_byte()
    peer.reset()
