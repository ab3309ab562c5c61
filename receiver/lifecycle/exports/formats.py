"""Rows as NDJSON or CSV (pure). No cell of a CSV is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import orjson

from receiver.graph.json_values import clean_text

Format = Literal["ndjson", "csv"]
Rows = Sequence[Mapping[str, Any]]
CONTENT_TYPES: Mapping[Format, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
_CHUNK_ROWS = 200
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # a spreadsheet takes the wide forms too
_BEHIND_SEPARATOR = re.compile('([;\t\r\n][ "]*)(?=[-=+@＝＋－＠])')  # noqa: RUF001  # as above
"""Where a formula begins for programs that take semicolons or tabs for what separates cells."""
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


def write(pages: Iterable[Rows], *, columns: Sequence[str], kind: Format) -> Iterator[bytes]:
    """Yield the rows in pieces of some hundred; a CSV begins with its header.

    Of every page comes a piece at once, which may be empty: whoever sends it has begun to answer.
    """
    for number, page in enumerate(pages):
        header = _table([columns]) if kind == "csv" and number == 0 else b""
        yield header + _piece(page[:_CHUNK_ROWS], columns, kind=kind)
        for start in range(_CHUNK_ROWS, len(page), _CHUNK_ROWS):
            yield _piece(page[start : start + _CHUNK_ROWS], columns, kind=kind)


def _piece(rows: Rows, columns: Sequence[str], *, kind: Format) -> bytes:
    if kind == "csv":
        return _table([_cell(_value(name, row[name])) for name in columns] for row in rows)
    return b"".join(map(_line, rows))


def _line(row: Mapping[str, Any]) -> bytes:
    values = {name: _value(name, value) for name, value in row.items()}
    try:
        return orjson.dumps(values) + b"\n"
    except orjson.JSONEncodeError:
        # JSON that was stored may hold half of a surrogate pair, as an escape.
        cleaned = {
            name: clean_text(value) if isinstance(value, str) else value
            for name, value in values.items()
        }
        return orjson.dumps(cleaned) + b"\n"


def _table(rows: Iterable[Sequence[Any]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode("utf-8", "replace")


def _value(name: str, value: Any) -> Any:
    """Ids as texts, which no program rounds, and moments in ISO 8601."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if name in _IDS else value


def _cell(value: Any) -> Any:
    """Return a cell as a spreadsheet shows it: what it would run begins with an apostrophe.

    U+0000 ends a cell for many readers: it is left out.
    """
    if not isinstance(value, str):
        return value
    text = _BEHIND_SEPARATOR.sub(r"\1'", value.replace("\0", ""))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_BEGINS) else text
