"""Read a create (pure): its outer shape as Facebook checks it, and whether it can be stored.

What stands inside each spec is Facebook's to judge, later, request by request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from receiver.graph.json_values import children, is_storable
from receiver.graph.serve import BadParameter, parse_new_set

_MAX_DEPTH = 100
"""Far deeper than an ad goes, and what every writer and reader of JSON on the way can take."""


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
        for text in _texts(spec, name=f"ad_specs[{index}]"):
            _refuse_unstorable(f"ad_specs[{index}]", text)
    text = _as_sent(parameters["ad_specs"])
    # A key that stands there twice is parsed once: what its first value held is only in the text.
    _refuse_unstorable("ad_specs", text)
    return Creation(
        name=new.name,
        ad_specs=text.encode(),
        spec_count=len(new.ad_specs),
        notification_uri=new.notification_uri,
        notification_mode=new.notification_mode,
    )


def _texts(value: Any, *, name: str) -> Iterator[str]:
    """Every text in a JSON value, keys included. Raises BadParameter for one that is too deep."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        yield from (item for item in level if isinstance(item, str))
        keys = [key for item in level if isinstance(item, dict) for key in item]
        level = [child for item in level for child in children(item)]
        yield from keys
        if not level:
            return
    raise BadParameter(name, f"Param {name} is nested more than {_MAX_DEPTH} levels deep.")


def _refuse_unstorable(name: str, text: str) -> None:
    # PostgreSQL stores neither, and nobody can mean them.
    if not is_storable(text):
        raise BadParameter(name, f"Param {name} holds U+0000 or half of a surrogate pair.")


def _as_sent(ad_specs: Any) -> str:
    """The list as the caller wrote it, or as JSON where it came inside a JSON body."""
    return ad_specs if isinstance(ad_specs, str) else json.dumps(ad_specs, ensure_ascii=False)
