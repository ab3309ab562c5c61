"""Pages of an edge: the limit, the cursors, and the links to a page's neighbours."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from receiver.graph.serve.parameters import BadParameter
from receiver.graph.vocabulary import DEFAULT_PAGE_LIMIT, MAX_PAGE_LIMIT

_POSITIVE_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_MAX_POSITION = 2**63 - 1


def parse_limit(value: object) -> int:
    """Return the page size asked for, clamped to the largest page; the default for none.

    Raises BadParameter for what is no positive whole number.
    """
    if value is None or value == "":
        return DEFAULT_PAGE_LIMIT
    text = str(value)
    if not _POSITIVE_NUMBER.fullmatch(text):
        raise BadParameter("limit", "Param limit must be a positive integer.")
    return min(int(text), MAX_PAGE_LIMIT)


def encode_cursor(position: int) -> str:
    """Make the opaque cursor that stands for a position in a list."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode_cursor(parameters: Mapping[str, Any], name: str) -> int | None:
    """Read the position out of the cursor ``after`` or ``before``; None when there is none.

    Raises BadParameter for a cursor that we did not make.
    """
    text = parameters.get(name)
    if text is None or text == "":
        return None
    try:
        raw = base64.urlsafe_b64decode(str(text).encode("ascii") + b"==").decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise BadParameter(name, "Invalid cursors values.") from error
    if not _POSITIVE_NUMBER.fullmatch(raw) or int(raw) > _MAX_POSITION:
        raise BadParameter(name, "Invalid cursors values.")
    return int(raw)


def page_answer(
    data: Sequence[Mapping[str, Any]],
    *,
    first: int | None,
    last: int | None,
    has_next: bool,
    has_previous: bool,
    url: str,
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    """Build a page: ``data``, cursors of its first and last entries, and links to its neighbours.

    ``url`` is the edge's address without a query; ``parameters`` are what a link repeats beside
    the cursor (the caller decides whether the token is among them).
    """
    if first is None or last is None:
        return {"data": list(data)}
    before, after = encode_cursor(first), encode_cursor(last)
    paging: dict[str, Any] = {"cursors": {"before": before, "after": after}}
    if has_next:
        paging["next"] = f"{url}?{urlencode({**parameters, 'after': after})}"
    if has_previous:
        paging["previous"] = f"{url}?{urlencode({**parameters, 'before': before})}"
    return {"data": list(data), "paging": paging}
