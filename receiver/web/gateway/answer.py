"""What the gateway answers (pure): a value, until the edge makes an HTTP answer of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from receiver.graph import serve
from receiver.graph.passing import Body
from receiver.web.gateway.call import GraphCall

JSON_TYPE = "application/json; charset=UTF-8"
NEVER_CACHED = "private, no-cache, no-store, must-revalidate"

Source = Literal["store", "graph"]
Headers = tuple[tuple[str, str], ...]

_OK = 200


@dataclass(frozen=True)
class Answer:
    """An answer. ``stream`` stands for a body that is passed on piece by piece."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: str = JSON_TYPE
    stream: Body | None = None

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case."""
        wanted = name.lower()
        return next((text for each, text in self.headers if each.lower() == wanted), None)


def json_answer(
    value: Any, call: GraphCall, *, source: Source, headers: Headers = (), status: int = _OK
) -> Answer:
    """Answer with JSON, in ASCII: Facebook's texts may hold what no other writer takes."""
    body = json.dumps(value, indent=3 if call.wants_pretty else None).encode("ascii")
    version = () if call.version is None else (("Facebook-API-Version", call.version),)
    named = (("X-Receiver-Source", source), ("Cache-Control", NEVER_CACHED), *version, *headers)
    return Answer(status, body, named)


def with_etag(answer: Answer, call: GraphCall) -> Answer:
    """Give the answer to a read its ETag; one that its caller holds already becomes a 304.

    Facebook's own ETag stands: an answer that has one was compared there.
    """
    if call.method != "GET" or answer.status != _OK or answer.stream is not None:
        return answer
    if answer.header("ETag") is not None:
        return answer
    tag = serve.etag(answer.body)
    tagged = replace(answer, headers=(*answer.headers, ("ETag", tag)))
    if serve.is_unchanged(tag, if_none_match=call.headers.get("if-none-match", "")):
        return replace(tagged, status=serve.NOT_MODIFIED, body=b"")
    return tagged
