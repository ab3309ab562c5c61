"""The operations of an async batch, their outer shape checked.

Facebook's page, "Batch API": up to a thousand, each with ``name``, ``relative_url`` and ``body``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.graph.serve.parameters import BadParameter, MissingParameter, decode_json
from receiver.graph.vocabulary import MAX_ADS_PER_SET

_PARTS = ("name", "relative_url", "body")


@dataclass(frozen=True)
class AsyncOperation:
    """One operation as its caller wrote it; ``body`` is a form in a string, or an object."""

    name: str
    relative_url: str
    body: Any


def parse_adbatch(parameters: Mapping[str, Any]) -> list[AsyncOperation]:
    """Read ``adbatch``, leniently: the page prints operations that are no JSON.

    Raises MissingParameter for what lacks a part, and BadParameter.
    """
    entries = decode_json(parameters, "adbatch", lenient=True)
    if entries is None:
        raise MissingParameter.named("adbatch")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ADS_PER_SET:
        raise BadParameter(
            "adbatch", f"Param adbatch must be an array of 1 to {MAX_ADS_PER_SET} operations."
        )
    return [_read_operation(entry, index=index) for index, entry in enumerate(entries)]


def _read_operation(entry: Any, *, index: int) -> AsyncOperation:
    if not isinstance(entry, dict):
        raise BadParameter("adbatch", f"Param adbatch[{index}] must be an object.")
    for part in _PARTS:
        if entry.get(part) in (None, ""):
            raise MissingParameter.named(f"adbatch[{index}][{part}]")
    name, relative_url = entry["name"], entry["relative_url"]
    if not isinstance(name, str) or not isinstance(relative_url, str):
        raise BadParameter("adbatch", f"Name and relative_url of adbatch[{index}] must be strings.")
    return AsyncOperation(name, relative_url, entry["body"])
