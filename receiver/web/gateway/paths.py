"""The numbers in a Graph path (pure): of an ad account, or of any other object."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_MAX_ID = 2**63 - 1


def account_number(node: str) -> int | None:
    """Return the number in ``act_<number>``, or None for what is no ad account."""
    return object_number(node.removeprefix("act_")) if node.startswith("act_") else None


def object_number(node: str) -> int | None:
    """Return an object's number, or None for what is none that a database can hold."""
    number = int(node) if _NUMBER.fullmatch(node) else None
    return None if number is None or number > _MAX_ID else number
