"""Rows as NDJSON or CSV (pure). No cell of a CSV is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import orjson

Format = Literal["ndjson", "csv"]
CONTENT_TYPES: Mapping[Format, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
_CHUNK_ROWS = 200
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # a spreadsheet takes the wide forms too
_IDS = frozenset(
    (
        "id",
        "facebook_id",
        "account_id",
        "parent_id",
        "request_set_id",
        "scope_object_id",
        "created_object_id",
        "sends_again",
        "sent_again_in",
    )
)


def write(
    rows: Iterable[Mapping[str, Any]], *, columns: Sequence[str], kind: Format
) -> Iterator[bytes]:
    """Yield the rows in pieces of some hundred; a CSV begins with its header."""
    return _ndjson(rows) if kind == "ndjson" else _csv(rows, columns)


def _ndjson(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    piece: list[bytes] = []
    for row in rows:
        piece.append(orjson.dumps({name: _value(name, value) for name, value in row.items()}))
        if len(piece) == _CHUNK_ROWS:
            yield b"\n".join(piece) + b"\n"
            piece.clear()
    if piece:
        yield b"\n".join(piece) + b"\n"


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_cell(_value(name, row[name])) for name in columns])
        if number % _CHUNK_ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")


def _value(name: str, value: Any) -> Any:
    """Ids as texts, which no program rounds, and moments in ISO 8601."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if name in _IDS else value


def _cell(value: Any) -> Any:
    """Return a cell as a spreadsheet shows it: a text that it would run begins with an apostrophe.

    U+0000 ends a cell for many readers: it is left out.
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_BEGINS) else text
