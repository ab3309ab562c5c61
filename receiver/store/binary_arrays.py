"""Arrays for PostgreSQL in its binary form, for statements that unnest them.

psycopg writes a list value by value, with six times the processor time (decision 042).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, LargeBinary, String
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_header = struct.Struct("!iiIii").pack
_length = struct.Struct("!i").pack
_long = struct.Struct("!iq").pack
_NULL = _length(-1)
_TRUE, _FALSE = _length(1) + b"\1", _length(1) + b"\0"


class BinaryArray(bytes):
    """An array as PostgreSQL takes it; the statement says of which type, as in ``%s::bigint[]``."""


@cache
def register() -> None:
    """Let psycopg take what is written here. Call it before it connects."""
    # It is installed only where PostgreSQL is used.
    import psycopg  # noqa: PLC0415  # as said
    from psycopg.adapt import Dumper  # noqa: PLC0415  # as said

    class AsItIs(Dumper):
        format = psycopg.pq.Format.BINARY

        def dump(self, obj: BinaryArray) -> bytes:
            return obj

    psycopg.adapters.register_dumper(BinaryArray, AsItIs)


def binary_array(kind: TypeEngine[Any], values: Sequence[Any]) -> BinaryArray:
    """Return values of a column's type as one array; any may be None.

    Raises OverflowError for an integer beyond 64 bits, and UnicodeEncodeError for a text with half
    of a surrogate pair.
    """
    number, write = _written(kind)
    items = [_NULL if value is None else write(value) for value in values]
    return BinaryArray(_header(1, 1, number, len(items), 1) + b"".join(items))


def type_name(kind: TypeEngine[Any]) -> str:
    """Return what PostgreSQL calls a column's type."""
    return kind.compile(postgresql.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's


def _written(kind: TypeEngine[Any]) -> tuple[int, Callable[[Any], bytes]]:
    """Return the number that PostgreSQL gives to a type, and what writes its values."""
    plain = kind.impl if isinstance(kind, TypeDecorator) else kind
    for known, number, write in _TYPES:
        if isinstance(plain, known):
            return number, write
    raise TypeError(f"No array of {kind} can be written.")


def _write_integer(value: int) -> bytes:
    try:
        return _long(8, value)
    except struct.error:
        raise OverflowError("An integer has more than 64 bits.") from None


def _write_boolean(value: bool) -> bytes:  # noqa: FBT001  # one of several writers of a value
    return _TRUE if value else _FALSE


def _write_bytes(value: bytes) -> bytes:
    return _length(len(value)) + value


def _write_text(value: str) -> bytes:
    return _write_bytes(value.encode())


def _write_time(value: datetime) -> bytes:
    return _long(8, (value - _EPOCH) // _MICROSECOND)


_TYPES: Sequence[tuple[type[Any], int, Callable[[Any], bytes]]] = (
    (BigInteger, 20, _write_integer),
    (Boolean, 16, _write_boolean),
    (LargeBinary, 17, _write_bytes),
    (String, 1043, _write_text),
    (DateTime, 1184, _write_time),
)
