"""A batch on the wire (pure): its operations as Facebook takes them, and what its answer shows.

Facebook's page, "Batch requests". Bodies are forms in a string, encoded once: one that is encoded
twice answers 200 and creates nothing (the facts, section 3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from receiver.graph.json_values import parse_json, read_integer, read_text
from receiver.graph.serve import OperationAnswer, Pairs, write_form

_NULL = b"null"


@dataclass(frozen=True)
class SentOperation:
    """An operation to be sent. ``path`` is decoded, with its version if its caller named one.

    ``name`` and ``depends_on`` tie it to others of the same call.
    """

    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attached_files: tuple[str, ...] = ()
    name: str | None = None
    depends_on: tuple[str, ...] = ()


class UnreadableBatch(ValueError):
    """The answer to a batch is no list with an entry for each operation."""


def write_batch(operations: Sequence[SentOperation]) -> str:
    """Write the parameter ``batch``."""
    return json.dumps([_written(operation) for operation in operations])


def _written(operation: SentOperation) -> dict[str, Any]:
    query = write_form(operation.query)
    path = quote(operation.path, safe="/:,@", errors="replace")
    written: dict[str, Any] = {
        "method": operation.method,
        "relative_url": f"{path}?{query}" if query else path,
    }
    if operation.form:
        written["body"] = write_form(operation.form)
    if operation.headers:
        written["headers"] = [f"{name}: {text}" for name, text in operation.headers.items()]
    if operation.attached_files:
        written["attached_files"] = ",".join(operation.attached_files)
    if operation.name is not None:
        # A success that others use is answered by null unless this is said.
        written |= {"name": operation.name, "omit_response_on_success": False}
    if operation.depends_on:
        written["depends_on"] = ",".join(operation.depends_on)
    return written


def read_batch(body: bytes, *, count: int) -> list[OperationAnswer | None]:
    """Return an entry for each operation; None where it is not known what became of it.

    Raises UnreadableBatch.
    """
    try:
        entries = parse_json(body)
    except ValueError:
        raise UnreadableBatch("The answer to a batch is no JSON") from None
    return read_entries(entries, count=count)


def read_entries(entries: Any, *, count: int) -> list[OperationAnswer | None]:
    """Return the entries of a batch's answer that is read as JSON already; see read_batch."""
    if not isinstance(entries, list) or len(entries) != count:
        raise UnreadableBatch("The answer to a batch does not show each operation")
    return [_read_entry(entry) for entry in entries]


def _read_entry(entry: Any) -> OperationAnswer | None:
    code = read_integer(entry.get("code")) if isinstance(entry, dict) else None
    if code is None:
        return None
    body = entry.get("body")
    try:
        text = body if body is None or isinstance(body, str) else json.dumps(body)
    except RecursionError:
        # Nested too deeply: one operation must not make the others' answers unreadable.
        return None
    return OperationAnswer(code, _read_headers(entry.get("headers")), text)


def _read_headers(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return tuple(
        (read_text(each.get("name")) or "", read_text(each.get("value")) or "") for each in pairs
    )
