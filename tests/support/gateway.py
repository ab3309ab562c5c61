"""A receiver in front of a sandbox, served over real HTTP by threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server

from receiver.app import create_app
from receiver.assembly import Parts, build
from receiver.crypto import hash_api_key
from receiver.lifecycle import deliver, step
from receiver.store import accounts, keys
from receiver.web.context import detach
from tests.support.house import make_settings
from tests.support.sandbox import SandboxControl

PLANTED_TOKEN = "EAAB-planted|token/of+facebook"
"""The receiver's own token: whoever sees it in an answer has found a leak."""

QUIET: dict[str, Any] = {
    "first_look_seconds": 3600,
    "look_interval_min_seconds": 3600,
    "look_interval_max_seconds": 3600,
}
"""A worker that looks at nothing by itself, unless it is hinted."""


@dataclass(frozen=True)
class Gateway:
    """A running receiver: where it is, and its parts."""

    url: str
    parts: Parts
    leaks: list[str]


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # the library's name
        pass


@contextmanager
def running_gateway(
    sandbox: SandboxControl,
    *,
    database_url: str,
    token_words: Iterable[str] = ("token",),
    account_ids: Iterable[int] = (1,),
    **settings: Any,
) -> Iterator[Gateway]:
    """Run a receiver whose callers hold these words as keys, for these accounts."""
    leaks: list[str] = []
    app: Callable[..., Any] | None = None

    turn = threading.Lock()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert app is not None
        is_notification = environ["PATH_INFO"].startswith("/notifications/")
        with nullcontext() if is_notification else turn:
            return _watched(app, leaks, environ, start_response)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=_Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    parts = build(make_settings(database_url, sandbox.url, public_url=url, **settings))
    _add_keys(parts, token_words, account_ids)
    flask_app = create_app(parts)
    app = flask_app.wsgi_app
    stopping = threading.Event()
    worker = threading.Thread(target=_work, args=(parts, turn, stopping), name="worker")
    web = threading.Thread(target=server.serve_forever, args=(0.01,), name="web")
    worker.start()
    web.start()
    try:
        yield Gateway(url, parts, leaks)
    finally:
        server.shutdown()
        server.server_close()
        stopping.set()
        worker.join()
        web.join()
        detach(flask_app)
        parts.close()
    assert not leaks, f"The token of Facebook stands in {leaks}"


def _work(parts: Parts, turn: threading.Lock, stopping: threading.Event) -> None:
    """Apply hints, look, and tell callers, but not while a caller's call is answered.

    Whoever reads a set that somebody else looks at gets what is known already; here each read is to
    be the one that looks.
    """
    while not stopping.wait(0.005):
        with turn:
            while step.apply_hints(parts.tools) or step.advance(parts.tools):
                pass
            claim = deliver.claim_next(parts.tools)
            if claim is not None:
                deliver.deliver(parts.tools, claim)


def _add_keys(parts: Parts, words: Iterable[str], account_ids: Iterable[int]) -> None:
    ids = list(account_ids)
    with parts.database.writing() as session:
        accounts.put_accounts(
            session,
            ids,
            sealed_token=parts.keys.seal(PLANTED_TOKEN),
            sealed_app_secret=None,
            now=parts.now(),
        )
        for word in words:
            keys.add_key(
                session, word, key_hash=hash_api_key(word), account_ids=ids, now=parts.now()
            )


def _watched(
    app: Callable[..., Any],
    leaks: list[str],
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer as the application does, and note where our token can be read."""

    def start(status: str, headers: list[tuple[str, str]], *args: Any) -> Any:
        _note(leaks, environ, str(headers).encode())
        return start_response(status, headers, *args)

    answer = app(environ, start)
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    _note(leaks, environ, body)
    return [body]


def _note(leaks: list[str], environ: WSGIEnvironment, text: bytes) -> None:
    if b"EAAB-planted" in text:
        leaks.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}: {text[:500]!r}")
