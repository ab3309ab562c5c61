"""The sandbox's HTTP server: HTTP/1.1 with kept connections, a thread for each connection.

It stands on the standard library's server because trouble needs the socket: Werkzeug's closes the
connection after every answer, gunicorn does not run in a thread of another process, and neither
lets an answer break off.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from receiver.sandbox.app import answer_call
from receiver.sandbox.calls import errors
from receiver.sandbox.calls.messages import Answer, Call
from receiver.sandbox.state import Sandbox

_IDLE_SECONDS = 120.0
_POLL_SECONDS = 0.02
_MAX_BODY_BYTES = 64 * 1024 * 1024
_MAX_CHUNK_LINE_BYTES = 1024


class UnreadableBody(Exception):
    """A body whose end cannot be found; the connection is of no use after it."""


class Handler(BaseHTTPRequestHandler):
    """One connection: reads calls, writes answers, until either side has enough."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    timeout = _IDLE_SECONDS

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        try:
            call = self._read_call()
        except UnreadableBody:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self._write(answer_call(self.server.sandbox, call))

    # The standard library looks a method's handler up by this name.
    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # see above

    def date_time_string(self, timestamp: float | None = None) -> str:
        # An answer's Date is the sandbox's time, which may have been moved.
        moment = self.server.sandbox.clock().timestamp() if timestamp is None else timestamp
        return formatdate(moment, usegmt=True)

    def _read_call(self) -> Call:
        body = self._read_body()
        path, _, query = self.path.partition("?")
        host = self.headers.get("Host") or "{}:{}".format(*self.server.server_address[:2])
        return Call(
            method=self.command,
            base_url=f"http://{host}",
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
            return b"".join(self._read_chunks())
        length = self.headers.get("Content-Length", "0").strip()
        if not length.isascii() or not length.isdigit() or len(length) > len(str(_MAX_BODY_BYTES)):
            raise UnreadableBody
        return self._read_exactly(int(length))

    def _read_chunks(self) -> Iterator[bytes]:
        total_bytes = 0
        while size := self._read_chunk_size():
            total_bytes += size
            if total_bytes > _MAX_BODY_BYTES:
                raise UnreadableBody
            yield self._read_exactly(size)
            self.rfile.readline(_MAX_CHUNK_LINE_BYTES)
        while self.rfile.readline(_MAX_CHUNK_LINE_BYTES).strip():
            pass

    def _read_chunk_size(self) -> int:
        line = self.rfile.readline(_MAX_CHUNK_LINE_BYTES).partition(b";")[0].strip()
        if not line or line.strip(b"0123456789abcdefABCDEF"):
            raise UnreadableBody
        return int(line, 16)

    def _read_exactly(self, length_bytes: int) -> bytes:
        body = self.rfile.read(length_bytes) if length_bytes <= _MAX_BODY_BYTES else b""
        if len(body) != length_bytes:
            raise UnreadableBody
        return body

    def _write(self, answer: Answer) -> None:
        if answer.ending == "dropped":
            self._hang_up()
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.ending == "cut":
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self._hang_up()
        elif self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Tell the client to go on now: it sends no body before it hears so."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say in a Graph error that what came is no HTTP call, and end the connection."""
        del message, explain
        self.close_connection = True
        self.request_version = self.protocol_version  # an older one would get no head
        self._write(errors.unknown_error(http_status=int(code)).answer())

    def version_string(self) -> str:
        return "sandbox"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Log nothing: the paths of calls carry tokens."""


class SandboxServer(socketserver.ThreadingTCPServer):
    """The listening socket. It accepts connections as soon as it exists."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, *, host: str, port: int) -> None:
        self.sandbox = sandbox
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else host
        return f"http://{shown!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a connection that broke; say in one line what else went wrong."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            sys.stderr.write(f"The sandbox dropped a connection: {type(error).__name__}\n")


@contextmanager
def serving(sandbox: Sandbox, *, host: str, port: int) -> Iterator[SandboxServer]:
    """Run the sandbox in threads of this process; with port 0 the system picks one."""
    with SandboxServer(sandbox, host=host, port=port) as server:
        sandbox.start()
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_SECONDS,), name="sandbox-server", daemon=True
        )
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            sandbox.stop()
