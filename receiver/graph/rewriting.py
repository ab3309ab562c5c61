"""What Facebook answers, with its host and our token taken out (pure).

It works on bytes, so that numbers and formatting stay as they came. The slashes of links may be
escaped, once more with every JSON text that they stand in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from receiver.graph.passing import PassedAnswer

HIDDEN = b"(hidden)"

_SEPARATOR = rb"(?:&|\\+u0026|%26)"
_SLASH = rb"(?:\\*/|%2[Ff])"
_PROOF = rb"(?:appsecret_proof|appsecret_time)(?:=|%3[Dd])[0-9a-f]+"
_HOST_ENDS = rb"(?![A-Za-z0-9.:@-])"
_SHORTEST_SECRET = 8
"""What is shorter is no secret of Facebook's, and hiding it would garble an answer."""


@dataclass(frozen=True)
class Rewriting:
    """How one call's answer is rewritten.

    ``key`` stands where ``token`` stood; with None, links lose the parameter, and what is left of
    the token is hidden. ``secrets`` are hidden wherever they stand.
    """

    graph_url: str
    public_url: str
    token: str = field(repr=False)
    key: str | None = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def bytes(self, data: bytes) -> bytes:
        """Rewrite a body of text."""
        data = _without_parameter(data, _PROOF)
        key = HIDDEN if self.key is None else self.key.encode()
        for token in _written(self.token):
            if self.key is None:
                data = _without_parameter(data, rb"access_token(?:=|%3[Dd])" + token)
            data = re.sub(token, lambda _: key, data)
        for text in self.secrets:
            for secret in _written(text):
                data = re.sub(secret, HIDDEN, data)
        return _with_host(data, old=self.graph_url, new=self.public_url)

    def answer(self, answer: PassedAnswer) -> PassedAnswer:
        """Rewrite an answer: its body, unless it is a stream, and every header."""
        headers = {name: self.text(text) for name, text in answer.headers.items()}
        return replace(answer, body=self.bytes(answer.body), headers=headers)

    def text(self, text: str) -> str:
        """Rewrite a text, such as a header's."""
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _written(secret: str) -> Iterable[bytes]:
    """Patterns of how a secret may be written: as it is, or quoted for a URL once or twice.

    In JSON its slashes may be escaped, as often as JSON stands in JSON.
    """
    if len(secret) < _SHORTEST_SECRET:
        return ()
    quoted = quote(secret, safe="")
    forms = dict.fromkeys((secret, quoted, quoted.lower(), quote(quoted, safe="")))
    return tuple(map(_with_escaped_slashes, forms))


def _with_escaped_slashes(text: str) -> bytes:
    return rb"\\*/".join(re.escape(part.encode()) for part in text.split("/"))


def _without_parameter(data: bytes, parameter: bytes) -> bytes:
    """Take a parameter out of every link: with the separator behind it, or the one before it."""
    data = re.sub(rb"(?<=[?&])" + parameter + _SEPARATOR, b"", data)
    return re.sub(rb"(?:\?|" + _SEPARATOR + rb")" + parameter, b"", data)


def _with_host(data: bytes, *, old: str, new: str) -> bytes:
    scheme, _, rest = old.partition("://")
    colon, slash = rb"(:|%3[Aa])", b"(" + _SLASH + b")"
    host = _SLASH.join(re.escape(part.encode()) for part in rest.split("/"))
    pattern = re.escape(scheme.encode()) + colon + slash + _SLASH + host + _HOST_ENDS

    def ours(match: re.Match[bytes]) -> bytes:
        return new.encode().replace(b":", match[1]).replace(b"/", match[2])

    return re.sub(pattern, ours, data)
