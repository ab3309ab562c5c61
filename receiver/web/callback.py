"""The notification endpoint: check the token, keep one row, answer 200.

Facebook's notification is unsigned, its body undocumented, and it is sent perhaps once (the facts,
section 1). So the URL's token is the only thing that is believed, and the row is committed before
the 2xx. Nothing is parsed here and nobody is called.

It stands in front of Flask, which would take longer to find the view than all of this takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from flask import Flask

from receiver.assembly import Parts
from receiver.crypto import Token
from receiver.metrics import HTTP_REQUESTS, NOTIFICATIONS
from receiver.store.database import DatabaseAway
from receiver.store.inbox.rows import NewNotification
from receiver.web.body import Environ, end_unread_body, read_body
from receiver.web.context import parts_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = structlog.get_logger(__name__)

PATH = "/notifications/"
_HEADERS_LIMIT_BYTES = 16 * 1024
_QUERY_LIMIT_CHARACTERS = 8 * 1024

_ANSWERED = {
    status: HTTP_REQUESTS.labels("notifications", f"{status // 100}xx") for status in HTTPStatus
}
_KEPT = NOTIFICATIONS.labels("kept")
_TEXTS = {
    HTTPStatus.OK: b"OK",
    HTTPStatus.NOT_FOUND: b"Not found",
    HTTPStatus.INTERNAL_SERVER_ERROR: b"Internal server error",
    HTTPStatus.SERVICE_UNAVAILABLE: b"Try again",
}


class NotificationEndpoint:
    """Answers on notification URLs, and leaves every other path to the application behind it."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._behind: WSGIApplication = app.wsgi_app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PATH):
            return self._behind(environ, start_response)
        status = self._receive(environ, token=path.removeprefix(PATH))
        end_unread_body(environ)
        _ANSWERED[status].inc()
        text = _TEXTS[status]
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else text]

    def _receive(self, environ: Environ, *, token: str) -> HTTPStatus:
        parts = parts_of(self._app)
        named = parts.keys.open_token(token)
        if named is None:
            NOTIFICATIONS.labels("refused").inc()
            return HTTPStatus.NOT_FOUND
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return HTTPStatus.OK
        try:
            parts.inbox.keep(_read(environ, named, parts=parts))
        except DatabaseAway as error:
            NOTIFICATIONS.labels("database_away").inc()
            log.error(  # noqa: TRY400  # a traceback a notification would flood the log
                "A notification could not be kept", request_set_id=named.intent, reason=str(error)
            )
            return HTTPStatus.SERVICE_UNAVAILABLE
        except Exception:  # whatever it is, its sender is to hear that it was not kept
            NOTIFICATIONS.labels("failed").inc()
            log.exception("A notification could not be kept", request_set_id=named.intent)
            return HTTPStatus.INTERNAL_SERVER_ERROR
        _KEPT.inc()
        return HTTPStatus.OK


def _read(environ: Environ, named: Token, *, parts: Parts) -> NewNotification:
    """Take one notification as it came, whatever it says."""
    body = read_body(
        environ,
        limit_bytes=parts.settings.notification_body_limit_bytes,
        deadline_seconds=parts.settings.notification_body_deadline_seconds,
    )
    return NewNotification(
        request_set_id=named.intent,
        attempt=named.attempt,
        received_at=parts.now(),
        method=environ["REQUEST_METHOD"],
        remote_address=environ.get("REMOTE_ADDR", ""),
        query=_printable(environ.get("QUERY_STRING", ""))[:_QUERY_LIMIT_CHARACTERS],
        headers=_headers(environ),
        body=body.data,
        body_cut=body.cut,
    )


def _headers(environ: Environ) -> str:
    """The headers as a JSON list of pairs: as many as fit, in the order in which they came."""
    kept: list[tuple[str, str]] = []
    size_bytes = 0
    for name, value in _named_headers(environ):
        size_bytes += len(name) + len(value)
        if size_bytes > _HEADERS_LIMIT_BYTES:
            break
        kept.append((name, value))
    # ASCII only: neither a NUL nor a lone surrogate can reach the database as such.
    return json.dumps(kept)


def _named_headers(environ: Environ) -> Iterator[tuple[str, str]]:
    """What WSGI calls HTTP_X_NAME, and two headers by other names (PEP 3333)."""
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").title(), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").title(), value


def _printable(text: str) -> str:
    """Escape what is not ASCII, and NUL, which PostgreSQL refuses."""
    return text.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\0")
