"""Cursors of the admin lists (pure): opaque to callers, bound to how their list is sorted."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from receiver.store.lists.paging import Key
from receiver.store.types import MAX_ID

_LENGTH_MOST = 200


class BadCursor(ValueError):
    """A cursor that no page of this list gave out."""


def write_cursor(key: Key, *, sort: str) -> str:
    """Write where a page ends."""
    value = key[0].isoformat() if isinstance(key[0], datetime) else key[0]
    text = json.dumps([sort, value, key[1]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, sort: str) -> Key:
    """Return where a page ended. Raises BadCursor."""
    try:
        sorted_by, value, number = _decode(cursor)
        if sorted_by != sort:
            raise BadCursor("belongs to a list that is sorted otherwise: begin without it")
        return _moment_or_number(value), _id(number)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        if isinstance(error, BadCursor):
            raise
        raise BadCursor("take it from a page's next_cursor") from error


def _decode(cursor: str) -> Any:
    if len(cursor) > _LENGTH_MOST:
        raise ValueError("longer than any cursor")
    padded = cursor + "=" * (-len(cursor) % 4)
    decoded = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(decoded, list):
        raise TypeError("no list")
    return decoded


def _moment_or_number(value: Any) -> datetime | int:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a zone")
        return moment.astimezone(UTC)
    return _id(value)


def _id(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise ValueError("no id")
    return value
