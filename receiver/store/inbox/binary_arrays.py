"""PostgreSQL's binary form of arrays, as far as notifications need it.

Source: ``array_recv`` and the ``recv`` functions of the types in PostgreSQL's own source. All
numbers are big-endian; a moment counts the microseconds since the year 2000.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL = struct.pack(">i", -1)

_head = struct.Struct(">iiIii").pack
_length = struct.Struct(">i").pack
_int8 = struct.Struct(">q").pack


def _moment(value: datetime) -> bytes:
    return _int8((value - _EPOCH) // _MICROSECOND)


_Kind = tuple[str, int, Callable[[Any], bytes]]
_KINDS: dict[Any, _Kind] = {
    int: ("int8", 20, _int8),
    datetime: ("timestamptz", 1184, _moment),
    str: ("text", 25, str.encode),
    str | None: ("text", 25, str.encode),
    bytes: ("bytea", 17, bytes),
}
"""The type, its number in PostgreSQL's catalogue, and how one value is written."""


def type_of(kind: Any) -> str:
    """Return PostgreSQL's name of a type of Python's."""
    return _KINDS[kind][0]


def binary_array(values: Sequence[Any], *, kind: Any) -> bytes:
    """Return an array of one dimension, of values of one type or None."""
    _, number, write = _KINDS[kind]
    parts = [_head(1, None in values, number, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            written = write(value)
            parts += (_length(len(written)), written)
    return b"".join(parts)
