"""The two servers that are compared, in one process of their own: only the answering differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask, Response, jsonify

from receiver.sandbox.calls.messages import Answer, Call
from receiver.sandbox.server import Handler, UnreadableBody, serving
from receiver.sandbox.state import Sandbox

_HOST = "127.0.0.1"


def bare_flask() -> Flask:
    """The yardstick: one view that reads its call's id and answers a small JSON object."""
    app = Flask(__name__)

    @app.get("/<version>/<object_id>")
    def show(version: str, object_id: str) -> Response:
        return jsonify(id=object_id, name="set", is_completed=True, platform_version=version)

    return app


def handler_of(answer: Callable[[Call], Answer]) -> type[Handler]:
    """Return what reads calls and writes answers as the sandbox does, and answers otherwise."""

    class OtherHandler(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the standard library's name
            try:
                call = self._read_call()
            except UnreadableBody:
                self.close_connection = True
                return
            self._write(answer(call))

    return OtherHandler


def wsgi_answers(app: Flask) -> Callable[[Call], Answer]:
    """Return what answers calls by a WSGI application, with no more in between than WSGI asks."""

    def answer(call: Call) -> Answer:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started[:] = [int(status[:3]), dict(headers)]

        chunks: Iterable[bytes] = app.wsgi_app(_environ(call), start_response)
        body = b"".join(chunks)
        status, headers = started
        return Answer(status, body, content_type=headers["Content-Type"])

    return answer


def _environ(call: Call) -> dict[str, Any]:
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in call.headers.items()
    }
    return {
        **headers,
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "QUERY_STRING": call.query,
        "CONTENT_TYPE": call.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(call.body)),
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(call.body),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


@contextmanager
def both_serving() -> Iterator[tuple[str, str]]:
    """Serve the sandbox and the bare view from another process; give their URLs."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("stop")
        process.join()


def _serve(control: Connection) -> None:
    with (
        serving(Sandbox(), host=_HOST, port=0) as sandbox,
        serving(Sandbox(), host=_HOST, port=0) as flask,
    ):
        flask.RequestHandlerClass = handler_of(wsgi_answers(bare_flask()))
        control.send((sandbox.url, flask.url))
        control.recv()
