"""ETags: whether what a caller holds is still what it would get.

Facebook's page: the tag is calculated from the whole answer with its formatting, and stands in
quotes; an unchanged answer is a 304 without a body, which still counts against the limits.
"""

from __future__ import annotations

import hashlib

NOT_MODIFIED = 304


def etag(body: bytes) -> str:
    """Return the ETag of an answer: forty hexadecimal digits in quotes."""
    return f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'


def is_unchanged(tag: str, *, if_none_match: str) -> bool:
    """Tell whether the header ``If-None-Match`` names the tag: alone, in a list, weak, or ``*``."""
    named = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in (tag, "*") for each in named)
