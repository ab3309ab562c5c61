"""Cursors of the admin lists (pure): opaque to callers, bound to the list that gave them out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from receiver.store.lists.paging import Key
from receiver.store.types import MAX_ID

_LENGTH_MOST = 200
_DIGEST_BYTES = 9


class BadCursor(ValueError):
    """A cursor that no page of this list gave out."""


@dataclass(frozen=True)
class Asked:
    """What a cursor goes with: a list by its name, how it is sorted, and what narrows it."""

    name: str
    sort: str
    filters: Mapping[str, Any]

    @property
    def is_sorted_by_id(self) -> bool:
        """Whether ids sort it; moments do otherwise."""
        return self.sort.removeprefix("-") == "id"

    def digest(self) -> str:
        """Tell lists apart in a few characters: it keeps mistakes out, not people."""
        text = json.dumps([self.name, self.sort, self.filters], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def write_cursor(key: Key, asked: Asked) -> str:
    """Write where a page ends."""
    value = key[0].isoformat() if isinstance(key[0], datetime) else key[0]
    text = json.dumps([asked.digest(), value, key[1]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, asked: Asked) -> Key:
    """Return where a page ended. Raises BadCursor."""
    try:
        digest, value, number = _decode(cursor)
        key = (_id(value) if asked.is_sorted_by_id else _moment(value), _id(number))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadCursor("take it from a page's next_cursor") from error
    if digest != asked.digest():
        raise BadCursor(
            "belongs to another list, or to one that is filtered or sorted otherwise: "
            "begin without it"
        )
    return key


def _decode(cursor: str) -> Any:
    if len(cursor) > _LENGTH_MOST:
        raise ValueError("longer than any cursor")
    padded = cursor + "=" * (-len(cursor) % 4)
    decoded = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(decoded, list):
        raise TypeError("no list")
    return decoded


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise TypeError("no moment")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _id(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise ValueError("no id")
    return value
