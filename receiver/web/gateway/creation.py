"""Read a create (pure): its outer shape as Facebook checks it, and whether it can be stored.

What stands inside each spec is Facebook's to judge, later, request by request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from receiver.graph.serve import BadParameter, parse_new_set

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Creation:
    """A create as the caller wants it. ``ad_specs`` is the list as JSON."""

    name: str
    ad_specs: bytes
    spec_count: int
    notification_uri: str | None
    notification_mode: str


def read_creation(parameters: Mapping[str, Any]) -> Creation:
    """Read a create's parameters. Raises BadParameter, which names the field."""
    new = parse_new_set(parameters)
    _refuse_unstorable("name", new.name)
    _refuse_unstorable("notification_uri", new.notification_uri or "")
    for index, spec in enumerate(new.ad_specs):
        for text in _texts(spec):
            _refuse_unstorable(f"ad_specs[{index}]", text)
    return Creation(
        name=new.name,
        ad_specs=_as_sent(parameters["ad_specs"]),
        spec_count=len(new.ad_specs),
        notification_uri=new.notification_uri,
        notification_mode=new.notification_mode,
    )


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _refuse_unstorable(name: str, text: str) -> None:
    # PostgreSQL stores neither, and nobody can mean them.
    if _UNSTORABLE.search(text):
        raise BadParameter(name, f"Param {name} holds U+0000 or half of a surrogate pair.")


def _as_sent(ad_specs: Any) -> bytes:
    """The list as the caller wrote it, or as JSON where it came inside a JSON body."""
    text = ad_specs if isinstance(ad_specs, str) else json.dumps(ad_specs, ensure_ascii=False)
    return text.encode()
