"""The notification endpoint: check the token, insert one row, answer 200.

Facebook's notification is unsigned, its body undocumented, and it is sent perhaps once (the facts,
section 1). So the URL's token is the only thing that is believed, and the row is committed before
the 2xx. Nothing is parsed here and nobody is called.
"""

from __future__ import annotations

import json

import structlog
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import Rule

from receiver.metrics import NOTIFICATIONS
from receiver.store import notifications
from receiver.store.database import DatabaseAway
from receiver.store.notifications import NewNotification
from receiver.web.body import read_body
from receiver.web.context import parts

log = structlog.get_logger(__name__)

blueprint = Blueprint("callback", __name__)

_HEADERS_LIMIT_BYTES = 16 * 1024
_QUERY_LIMIT_CHARACTERS = 8 * 1024


@blueprint.record
def _add_rule(state: BlueprintSetupState) -> None:
    # A rule of Werkzeug's without methods takes any; Flask's own routes name theirs.
    state.app.url_map.add(Rule("/notifications/<path:token>", endpoint="callback.receive"))


@blueprint.endpoint("callback.receive")
def receive(token: str) -> Response:
    """Keep one notification as it came, whatever it says."""
    named = parts().keys.open_token(token)
    if named is None:
        NOTIFICATIONS.labels("refused").inc()
        return _answer("Not found", status=404)
    if request.method in ("GET", "HEAD"):
        return _answer("OK", status=200)
    settings = parts().settings
    body = read_body(
        request,
        limit_bytes=settings.notification_body_limit_bytes,
        deadline_seconds=settings.notification_body_deadline_seconds,
    )
    notification = NewNotification(
        request_set_id=named.intent,
        attempt=named.attempt,
        method=request.method,
        remote_address=request.remote_addr or "",
        query=_printable(request.environ.get("QUERY_STRING", ""))[:_QUERY_LIMIT_CHARACTERS],
        headers=_headers(),
        body=body.data,
        body_cut=body.cut,
    )
    try:
        with parts().database.writing() as session:
            notifications.keep(session, notification, now=parts().now())
    except DatabaseAway as error:
        NOTIFICATIONS.labels("database_away").inc()
        log.error(  # noqa: TRY400  # a traceback a notification would flood the log
            "A notification could not be kept", request_set_id=named.intent, reason=str(error)
        )
        return _answer("Try again", status=503)
    NOTIFICATIONS.labels("kept").inc()
    return _answer("OK", status=200)


def _answer(text: str, *, status: int) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")


def _headers() -> str:
    """The headers as a JSON list of pairs: as many as fit, in the order in which they came."""
    kept: list[tuple[str, str]] = []
    size_bytes = 0
    for name, value in request.headers.items():
        size_bytes += len(name) + len(value)
        if size_bytes > _HEADERS_LIMIT_BYTES:
            break
        kept.append((name, value))
    # ASCII only: neither a NUL nor a lone surrogate can reach the database as such.
    return json.dumps(kept)


def _printable(text: str) -> str:
    """Escape what is not ASCII, and NUL, which PostgreSQL refuses."""
    return text.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\0")
