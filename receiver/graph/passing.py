"""A call that is passed on to Facebook as its caller made it, and what comes back (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol

from receiver.graph.usage import NO_USAGE, Usage

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Attachment:
    """A file of a multipart body; ``stream`` can be read again from its start."""

    filename: str
    content_type: str
    stream: IO[bytes]


@dataclass(frozen=True)
class PassedCall:
    """A call to pass on: a form with perhaps files, or ``data`` of any other content type.

    ``path`` comes after the host, quoted, with its version if its caller named one. Nothing in it
    holds a credential of its caller.
    """

    method: str
    path: str
    query: Pairs = field(default=(), repr=False)
    form: Pairs = field(default=(), repr=False)
    files: Mapping[str, Attachment] = field(default_factory=dict, repr=False)
    data: bytes | IO[bytes] = field(default=b"", repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_read(self) -> bool:
        return self.method in ("GET", "HEAD")


class Body(Protocol):
    """A body that is read piece by piece, and has to be closed."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class PassedAnswer:
    """What Facebook answered, its body decoded; ``stream`` stands for a body that is not text."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes
    stream: Body | None = None
    usage: Usage = NO_USAGE


def is_text(headers: Mapping[str, str]) -> bool:
    """Tell whether an answer's body is text, in which a token or a link may stand."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (
        not kind
        or kind.startswith("text/")
        or kind.endswith(("json", "xml", "javascript", "x-www-form-urlencoded"))
    )
