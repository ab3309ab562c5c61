"""A Graph call, read (pure): what it addresses, with what, and in whose name.

One stands for an HTTP call, or for an operation of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any

from receiver.graph import serve
from receiver.graph.passing import Attachment
from receiver.graph.serve import BadParameter, Pairs, ReadyOperation

CREDENTIALS = ("access_token", "appsecret_proof", "appsecret_time")
"""What names the caller: it is read once, and goes no further."""

_OVERRIDES = ("GET", "PUT", "DELETE")


@dataclass(frozen=True)
class Body:
    """What a call brings beside its URL, without the caller's credentials.

    A form with perhaps files, or ``data`` of any other content type.
    """

    form: Pairs = ()
    files: Mapping[str, Attachment] = field(default_factory=dict)
    data: bytes | IO[bytes] = b""
    content_type: str = ""


@dataclass(frozen=True)
class GraphCall:
    """A call. ``path`` comes as it was sent, without the version; ``segments`` name the object.

    ``sent_method`` is the HTTP method, ``method`` what the call means. ``parameters`` are those of
    query and body together, ``query`` those of the URL alone; neither holds the caller's
    credentials. ``is_key_in_query`` tells where the key came from: links repeat it only then.
    """

    sent_method: str
    version: str | None
    path: str
    base_url: str
    query: Pairs
    body: Body
    parameters: Mapping[str, Any]
    headers: Mapping[str, str]
    key: str
    is_key_in_query: bool = False
    is_operation: bool = False

    @cached_property
    def method(self) -> str:
        """The HTTP method, or what ``method`` among the parameters of a POST says instead."""
        named = str(self.parameters.get("method") or "").upper()
        is_overridden = self.sent_method == "POST" and named in _OVERRIDES
        method = named if is_overridden else self.sent_method
        return "GET" if method == "HEAD" else method

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's parts; ``/?id=1`` and ``/requests?id=1`` mean ``/1`` and ``/1/requests``."""
        parts = tuple(segment for segment in self.path.split("/") if segment)
        named = str(self.parameters.get("id") or "")
        if not named or (parts and is_node(parts[0])):
            return parts
        return (named, *parts)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids that a read asks for in ``ids``, where its path names no object of its own."""
        has_node = bool(self.segments) and is_node(self.segments[0])
        if has_node or self.method != "GET":
            return ()
        return serve.parse_ids(self.parameters.get("ids"))

    @property
    def is_batch(self) -> bool:
        """A batch may be posted to any path (the facts, section 3), but not within another one."""
        return self.method == "POST" and "batch" in self.parameters and not self.is_operation

    @property
    def is_crash_report(self) -> bool:
        """The official SDK sends these by default, without a token (the facts, section 9)."""
        return self.sent_method == "POST" and self.segments[1:] == ("instruments",)

    @property
    def wants_pretty(self) -> bool:
        return str(self.parameters.get("pretty") or "").lower() in ("1", "true")

    def address_of(self, *segments: str) -> str:
        """Return our URL of an object or an edge, at the call's own version."""
        return "/".join((self.base_url, *([self.version] if self.version else []), *segments))

    def link_parameters(self) -> dict[str, str]:
        """What the links of a page repeat: the call's query, and the key if it stood there."""
        kept = {name: text for name, text in self.query if name not in ("after", "before", "id")}
        return {**kept, "access_token": self.key} if self.is_key_in_query else kept


def is_node(text: str) -> bool:
    """Tell whether a path's part names an object: an account, a number, ``me``, an image."""
    number = text.removeprefix("act_").partition(":")[0]
    return text == "me" or (number.isascii() and number.isdigit())


def without_credentials(pairs: Pairs) -> Pairs:
    return tuple(pair for pair in pairs if pair[0] not in CREDENTIALS)


def operation_call(batch: GraphCall, operation: ReadyOperation) -> GraphCall:
    """Make the call that an operation stands for: at its batch's version, with its key.

    Raises BadParameter for an attached file that did not come.
    """
    version, segments = serve.split_path(operation.path)
    given = dict((*operation.query, *operation.form))
    query, form = without_credentials(operation.query), without_credentials(operation.form)
    files = {name: _attached(batch, name) for name in operation.attached_files}
    return GraphCall(
        sent_method=operation.method,
        version=version or batch.version,
        path="/".join(segments),
        base_url=batch.base_url,
        query=query,
        body=Body(form=form, files=files),
        parameters=dict((*query, *form)),
        headers=operation.headers,
        key=given.get("access_token") or operation.access_token or batch.key,
        is_key_in_query=batch.is_key_in_query,
        is_operation=True,
    )


def _attached(batch: GraphCall, name: str) -> Attachment:
    if name not in batch.body.files:
        raise BadParameter("attached_files", f"There is no attached file named {name}.")
    return batch.body.files[name]
