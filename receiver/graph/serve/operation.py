"""The operations of a batch, read: what each asks for, before its references are filled in.

Facebook's page, "Batch requests"; the facts, section 3, for how each SDK writes an operation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

from receiver.graph.references import find_references

METHODS = ("GET", "POST", "PUT", "DELETE")

Pairs = tuple[tuple[str, str], ...]

_HOST = re.compile(r"https?://[^/?&]*", re.IGNORECASE)
_QUERY_START = re.compile(r"[?&]")
_BROKEN_PARAMETER = "°rees_of_freedom_spec="


@dataclass(frozen=True)
class Operation:
    """One operation as its caller wrote it, decoded; references stand in ``path`` and values.

    ``headers`` have names in lower case. ``needs`` names the operations that this one uses, by
    ``depends_on`` or by a reference. ``omit_response_on_success`` is None where nothing was said.
    """

    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    needs: tuple[str, ...] = ()
    omit_response_on_success: bool | None = None
    attached_files: tuple[str, ...] = ()
    access_token: str | None = None


@dataclass(frozen=True)
class BadOperation:
    """An entry that is no operation: it alone fails, and says so with this message."""

    message: str
    name: str | None = None
    needs: tuple[str, ...] = ()


def parse_operation(entry: object) -> Operation | BadOperation:
    """Read one entry of ``batch``."""
    if not isinstance(entry, dict):
        return BadOperation("An operation must be an object.")
    name = _text(entry.get("name")) or None
    method = _text(entry.get("method")).upper() or "GET"
    if method not in METHODS:
        return BadOperation(
            f"The method of an operation must be one of {', '.join(METHODS)}.", name
        )
    if not isinstance(entry.get("relative_url"), str):
        return BadOperation("An operation must have a relative_url.", name)
    path, query = split_url(entry["relative_url"])
    form = parse_form(_read_body(entry.get("body")))
    omit = entry.get("omit_response_on_success")
    return Operation(
        method=method,
        path=path,
        query=query,
        form=form,
        headers=parse_headers(entry.get("headers")),
        name=name,
        needs=_needs(_words(entry.get("depends_on")), path=path, pairs=(*query, *form)),
        omit_response_on_success=None if omit is None else _text(omit).lower() in ("1", "true"),
        # The Node SDK writes the second name.
        attached_files=_words(entry.get("attached_files") or entry.get("attachedFiles")),
        access_token=_text(entry.get("access_token")) or None,
    )


def _needs(names: tuple[str, ...], *, path: str, pairs: Pairs) -> tuple[str, ...]:
    texts = (path, *(text for _, text in pairs))
    referred = (reference.name for text in texts for reference in find_references(text))
    return tuple(dict.fromkeys((*names, *referred)))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _read_body(value: object) -> str:
    """A body is a form in a string; an object stands for its fields."""
    if not isinstance(value, dict):
        return _text(value)
    return "&".join(f"{_quote(key)}={_quote(_text(one))}" for key, one in value.items())


def _quote(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _words(value: object) -> tuple[str, ...]:
    """Names in a list, in a text with commas, or as the keys of an object (Java's SDK)."""
    words = list(value) if isinstance(value, (list, dict)) else _text(value).split(",")
    return tuple(word for one in words if (word := _text(one).strip()))


def parse_headers(value: object) -> dict[str, str]:
    """Read an operation's headers: texts as on the page, ``{name, value}`` as in SDKs, or a map."""
    if isinstance(value, dict):
        return {_text(name).lower(): _text(one) for name, one in value.items()}
    headers: dict[str, str] = {}
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            headers[_text(one.get("name")).lower()] = _text(one.get("value"))
        else:
            name, _, text = _text(one).partition(":")
            headers[name.strip().lower()] = text.strip()
    return headers


def split_url(relative_url: str) -> tuple[str, Pairs]:
    """Return the path and the query of a relative URL, both percent-decoded.

    A host goes away (users write whole URLs), and ``ads&fields=id``, as the page prints it, means
    ``ads?fields=id``.
    """
    local = _HOST.sub("", relative_url.strip(), count=1)
    path, *rest = _QUERY_START.split(local, maxsplit=1)
    return unquote(path, errors="replace"), parse_form(rest[0] if rest else "")


def parse_form(text: str) -> Pairs:
    """Read a form or a query in its order; empty parts, as in ``a=1&&b=2``, are passed over.

    In the page's example a browser has made a degree sign of the beginning of ``&degrees_of…``.
    """
    text = text.replace(_BROKEN_PARAMETER, "&degrees_of_freedom_spec=")
    return tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))


def write_form(pairs: Iterable[tuple[str, str]]) -> str:
    """Write a form or a query as ``parse_form`` reads it; half a surrogate becomes ``?``."""
    return urlencode(tuple(pairs), errors="replace")


def parse_adbatch_body(value: object) -> Pairs:
    """Read the ``body`` of an operation of an async batch.

    Facebook's page prints it percent-encoded as a whole, programs send an ordinary form: one that
    has no ``=`` of its own is decoded once more, its plus signs kept (the facts, section 2).
    """
    text = _read_body(value)
    if "=" not in text and "%3d" in text.lower():
        text = unquote(text, errors="replace")
    return parse_form(text)
