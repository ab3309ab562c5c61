"""JSON as Facebook writes it: numbers that come as strings, and texts that no database stores.

Facebook's types vary: ids and counts come as strings or as numbers, booleans as words (the facts,
section 1). Each reader returns None, or False, for a value that it cannot use.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import orjson

_MAX_ID = 2**63 - 1
_MAX_INTEGER = 2**31 - 1
_MOST_DIGITS = 19
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_json(body: bytes) -> Any:
    """Parse JSON, also what orjson refuses: lone surrogates, broken UTF-8, NaN, huge numbers.

    Words and numbers that JSON cannot write again become texts. Raises ValueError.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        text = body.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, parse_constant=str, parse_float=_finite_or_text)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


def _finite_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


_write_ascii = json.JSONEncoder(separators=(",", ":")).encode


def stable_json_bytes(value: Any) -> bytes:
    """Write a value of ``parse_json`` as JSON in ASCII, for what is known again by its hash.

    The standard library writes it, in the same way in every version of this program. Raises
    ValueError for one that is nested too deeply.
    """
    try:
        return _write_ascii(value).encode("ascii")
    except RecursionError:
        raise ValueError("The value is nested too deeply.") from None


def json_bytes(value: Any) -> bytes:
    """Write a value of ``parse_json`` as JSON in ASCII: every text survives as escapes.

    Raises ValueError for one that is nested too deeply.
    """
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        written = b""
    # It refuses lone surrogates, integers beyond 64 bits and depth, and escapes no other text.
    return written if written and written.isascii() else stable_json_bytes(value)


def children(value: Any) -> Iterable[Any]:
    """The values right inside a JSON value: to walk one level by level, however deep it is."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def is_storable(text: str) -> bool:
    """Tell whether a database takes a text: no U+0000, no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def clean_text(text: str) -> str:
    """Replace what PostgreSQL or UTF-8 cannot hold: U+0000 and lone surrogates, by U+FFFD."""
    is_plain = text.isascii() and "\0" not in text
    return text if is_plain else _UNSTORABLE.sub("\ufffd", text)


def read_text(value: object) -> str | None:
    """Read a text, cleaned; a number is a text too. An empty one says nothing: None."""
    if isinstance(value, str):
        return clean_text(value) or None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else None


def read_id(value: object) -> int | None:
    """Read one of Facebook's ids: positive, and within signed 64 bits."""
    number = _whole_number(value)
    return number if number is not None and 0 < number <= _MAX_ID else None


def read_count(value: object) -> int | None:
    """Read a number of things: not negative, and within signed 32 bits."""
    number = read_integer(value)
    return number if number is not None and number >= 0 else None


def read_integer(value: object) -> int | None:
    """Read a whole number within signed 32 bits."""
    number = _whole_number(value)
    return number if number is not None and abs(number) <= _MAX_INTEGER else None


def _whole_number(value: object) -> int | None:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        is_whole = len(digits) <= _MOST_DIGITS and digits.isdecimal() and digits.isascii()
        return int(value) if is_whole else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_flag(value: object) -> bool:
    """Read a boolean: true, 1, or either of them as a word."""
    return str(value).lower() in ("true", "1")
