"""The last line of defence: no answer for people or probes shows a secret of the receiver's.

Names, errors and notifications are shown as they came, and anybody may have put anything into
them. So every finished answer is looked through, as every finished line of the log is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

from flask import Flask, Response, request

from receiver.secret_forms import FORMS

_HIDDEN = b"(hidden)"
_PATHS = ("/admin", "/metrics", "/health")
_KINDS = ("application/json", "application/problem+json", "text/html", "text/plain")
_STREAMED = ("application/x-ndjson", "text/csv")
"""What comes in pieces of whole lines, however long it is."""
_BASE64 = rb'"body_base64":"[^"]*"'
"""The exact bytes of a notification: what looks like a token in base64 is none."""

_PATTERNS = [
    (
        tuple(needle.encode() for needle in form.needles),
        re.compile(_BASE64 + b"|" + form.by_itself.encode()),
    )
    for form in FORMS
]


def conceal(text: bytes, *, secrets: Sequence[str]) -> bytes:
    """Return a text without these secrets, and without what has the form or name of one (pure)."""
    for secret in secrets:
        text = text.replace(secret.encode(), _HIDDEN)
    lowered = text.lower()
    for needles, pattern in _PATTERNS:
        if not needles or any(needle in lowered for needle in needles):
            text = pattern.sub(_hidden, text)
    return text


def _hidden(found: re.Match[bytes]) -> bytes:
    kept: bytes | None = found["kept"]
    return found[0] if kept is None else kept + _HIDDEN


def install(app: Flask, *, secrets: Sequence[str]) -> None:
    """Let an application look through what it answers to people and probes.

    Graph-shaped answers are a program's own data, and a download is what it says: byte by byte.
    ``secrets`` are this process's own. One that the asker's own address names is known to the
    asker: to hide it would only tell who guesses that the guess is right.
    """

    def look_through(response: Response) -> Response:
        if not request.path.startswith(_PATHS) or response.direct_passthrough:
            return response
        asked = unquote_plus(request.full_path)
        unknown = [secret for secret in secrets if secret not in asked]
        if response.mimetype in _KINDS:
            response.set_data(conceal(response.get_data(), secrets=unknown))
        elif response.mimetype in _STREAMED:
            pieces = response.iter_encoded()
            response.response = (conceal(piece, secrets=unknown) for piece in pieces)
        return response

    app.after_request(look_through)
