"""Ids: an object's is a number of 64 bits, an account's the same behind ``act_``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_OBJECT = re.compile(r"[0-9]{1,20}")
_ACCOUNT = re.compile(r"act_([0-9]{1,20})")


def is_object_id(value: object) -> bool:
    """Tell whether a value is an id: a number, or a text of digits."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    return _OBJECT.fullmatch(str(value)) is not None


def account_number(text: str) -> str | None:
    """Return the number in ``act_1``; None for what names no account."""
    match = _ACCOUNT.fullmatch(text)
    return match[1] if match else None


def is_thing(segment: str) -> bool:
    """Tell whether a segment of a path names a thing, and is no edge."""
    return segment == "me" or is_object_id(segment) or account_number(segment) is not None


def _bare_account(text: str) -> str:
    number = text.removeprefix("act_")
    if not _OBJECT.fullmatch(number):
        raise ValueError("is no account: write act_ and its number")
    return number


AccountId = Annotated[str, AfterValidator(_bare_account)]
"""An account in JSON that a person writes: with ``act_`` or without, kept without."""
