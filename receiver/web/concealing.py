"""The last line of defence: no answer for people or probes shows a secret of the receiver's.

Names, errors and notifications are shown as they came, and anybody may have put anything into
them. So every finished answer is looked through, as every finished line of the log is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Flask, Response, request

from receiver.crypto import hide_tokens

_PATHS = ("/admin", "/metrics", "/health")
_KINDS = ("application/json", "application/problem+json", "text/html", "text/plain")
_QUOTE = rb"(?:\\*[\"']|&#34;|&#39;|&quot;)?"
_NAMES = rb"access_token|appsecret_proof|client_secret|app_secret|receiver_session"
_PATTERNS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (
            rb"(?i)((?:" + _NAMES + rb")" + _QUOTE + rb"\s*[=:]\s*" + _QUOTE + rb")"
            rb"[^\s\"'\\&<>,;(){}\[\]]+",
            rb"\1(hidden)",
        ),
        # A caller's key, and Facebook's tokens: of a user or a page, of an app. Base64 is none.
        (rb"(?<![\w+/-])rcv_[\w-]{16,}", b"rcv_(hidden)"),
        (rb"(?<![\w+/-])EAA[\w-]{16,}", b"EAA(hidden)"),
        (rb"(?<![\w+/-])([0-9]{5,20}(?:\||%7C))[\w-]{16,}", rb"\1(hidden)"),
        # The password in a URL.
        (rb"(://[^\s/:@\"'<>]*:)[^\s/@\"'<>]+@", rb"\1(hidden)@"),
    )
]


def conceal(text: bytes, *, secrets: Sequence[str]) -> bytes:
    """Return a text without these secrets, and without what has the form or name of one (pure)."""
    for secret in secrets:
        text = text.replace(secret.encode(), b"(hidden)")
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return hide_tokens(text)


def install(app: Flask, *, secrets: Sequence[str]) -> None:
    """Let an application look through what it answers to people and probes.

    Graph-shaped answers are a program's own data, and a download is what it says: byte by byte.
    """

    def look_through(response: Response) -> Response:
        is_meant = request.path.startswith(_PATHS) and response.mimetype in _KINDS
        if is_meant and not response.direct_passthrough:
            response.set_data(conceal(response.get_data(), secrets=secrets))
        return response

    app.after_request(look_through)
