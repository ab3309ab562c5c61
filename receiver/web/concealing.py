"""The last line of defence: no answer for people or probes shows a secret of the receiver's.

Names, errors and notifications are shown as they came, and anybody may have put anything into
them. So every finished answer is looked through, as every finished line of the log is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, Response, request

from receiver.crypto import hide_tokens

_PATHS = ("/admin", "/metrics", "/health")
_KINDS = ("application/json", "application/problem+json", "text/html", "text/plain")
_STREAMED = ("application/x-ndjson", "text/csv")
"""What comes in pieces of whole lines, however long it is."""
_QUOTE = rb"(?:\\*[\"']|&#34;|&#39;|&quot;|%22|%27)?"
_NAMES = (b"access_token", b"appsecret_proof", b"client_secret", b"app_secret", b"receiver_session")
_NAMED = rb"(?:" + b"|".join(_NAMES) + rb")" + _QUOTE + rb"\s*(?:[=:]|%3[AD])\s*" + _QUOTE
_VALUE = rb"[^\s\"'\\&<>,;(){}\[\]]+"
_BASE64 = rb'"body_base64":"[^"]*"'
"""The exact bytes of a notification: what looks like a token in base64 is none."""


@dataclass(frozen=True)
class _Form:
    """How a secret looks; a text without any of the ``needles`` holds none, and is not searched."""

    needles: Sequence[bytes]
    pattern: re.Pattern[bytes]

    def hide(self, text: bytes) -> bytes:
        """Hide every secret of this form; what the pattern calls ``kept`` stays."""
        if not any(needle in text for needle in self.needles):
            return text
        return self.pattern.sub(self._hidden, text)

    def _hidden(self, found: re.Match[bytes]) -> bytes:
        parts = found.groupdict(b"")
        return parts["kept"] if parts["kept"] == found[0] else parts["kept"] + b"(hidden)"


_FORMS = (
    _Form(_NAMES, re.compile(rb"(?P<kept>" + _NAMED + rb")" + _VALUE)),
    # A caller's key, and Facebook's tokens: of a user or a page, of an app.
    _Form([b"rcv_"], re.compile(rb"(?P<kept>" + _BASE64 + rb")|(?<![\w.-])rcv_[\w-]{16,}")),
    _Form([b"EAA"], re.compile(rb"(?P<kept>" + _BASE64 + rb")|(?<![\w.-])EAA[\w-]{16,}")),
    _Form(
        [b"|", b"%7C"],
        re.compile(rb"(?<![\w.-])(?P<kept>[0-9]{5,20}(?:\||%7C))[\w-]{16,}"),
    ),
    # The password in a URL.
    _Form([b"@"], re.compile(rb"(?P<kept>://[^\s/:@\"'<>]*:)[^\s/@\"'<>]+(?=@)")),
)


def conceal(text: bytes, *, secrets: Sequence[str]) -> bytes:
    """Return a text without these secrets, and without what has the form or name of one (pure)."""
    for secret in secrets:
        text = text.replace(secret.encode(), b"(hidden)")
    for form in _FORMS:
        text = form.hide(text)
    return hide_tokens(text)


def install(app: Flask, *, secrets: Sequence[str]) -> None:
    """Let an application look through what it answers to people and probes.

    Graph-shaped answers are a program's own data, and a download is what it says: byte by byte.
    """

    def look_through(response: Response) -> Response:
        if not request.path.startswith(_PATHS) or response.direct_passthrough:
            return response
        if response.mimetype in _KINDS:
            response.set_data(conceal(response.get_data(), secrets=secrets))
        elif response.mimetype in _STREAMED:
            pieces = response.iter_encoded()
            response.response = (conceal(piece, secrets=secrets) for piece in pieces)
        return response

    app.after_request(look_through)
