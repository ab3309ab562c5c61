"""The worker's own metrics over HTTP: it is another process than the web service.

Without a token it listens on this machine alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from receiver import metrics

_TIMEOUT_SECONDS = 5.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], *, token: str | None) -> None:
        self.token = token
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"There is only /metrics.\n")
        elif not self._may_read():
            self._answer(HTTPStatus.UNAUTHORIZED, b"Send the token of RECEIVER_METRICS_TOKEN.\n")
        else:
            shown = metrics.exposition()
            self._answer(HTTPStatus.OK, shown, content_type=metrics.CONTENT_TYPE)

    def _may_read(self) -> bool:
        return metrics.may_read(
            token=self.server.token,
            headers=dict(self.headers.items()),
            address=self.client_address[0],
            is_behind_proxy=False,
        )

    def _answer(
        self, status: HTTPStatus, body: bytes, *, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Bearer realm="receiver"')
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: every scrape would be a line."""


@contextmanager
def serving(port: int, *, token: str | None) -> Iterator[int]:
    """Serve the metrics of this process for the block; yields the port, which 0 lets be chosen.

    Raises OSError where nobody may listen there.
    """
    host = "127.0.0.1" if token is None else ""
    with _Server((host, port), token=token) as server:
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
