"""Check the outer shape of a create, as Facebook does at once (pure).

What stands inside each spec is Facebook's to judge, later, request by request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from receiver.graph.serve import BadParameter, decode_json
from receiver.graph.vocabulary import (
    MAX_ADS_PER_SET,
    MODE_OFF,
    MODE_ON_COMPLETE,
    notification_mode,
)

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
    name = _text(parameters, "name")
    if name is None or not name.strip():
        raise BadParameter("name", "Param name is required and must not be empty.")
    specs = _ad_specs(parameters)
    uri = _notification_uri(parameters)
    return Creation(
        name=name,
        ad_specs=_as_sent(parameters["ad_specs"]),
        spec_count=len(specs),
        notification_uri=uri,
        notification_mode=_mode(parameters, uri=uri),
    )


def _text(parameters: Mapping[str, Any], name: str) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadParameter(name, f"Param {name} must be a string.")
    _refuse_unstorable(name, value)
    return value


def _ad_specs(parameters: Mapping[str, Any]) -> list[Any]:
    specs = decode_json(parameters, "ad_specs")
    if specs is None:
        raise BadParameter("ad_specs", "Param ad_specs is required.")
    if not isinstance(specs, list):
        raise BadParameter("ad_specs", "Param ad_specs must be an array.")
    if not specs:
        raise BadParameter("ad_specs", "Param ad_specs must not be empty.")
    if len(specs) > MAX_ADS_PER_SET:
        raise BadParameter(
            "ad_specs",
            f"Param ad_specs must have at most {MAX_ADS_PER_SET} entries, it has {len(specs)}.",
        )
    for index, spec in enumerate(specs):
        if not isinstance(spec, dict):
            raise BadParameter("ad_specs", f"Param ad_specs[{index}] must be an object.")
        for text in _texts(spec):
            _refuse_unstorable(f"ad_specs[{index}]", text)
    return specs


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
    # PostgreSQL stores neither, and no client can mean them.
    if _UNSTORABLE.search(text):
        raise BadParameter(name, f"Param {name} holds U+0000 or half of a surrogate pair.")


def _as_sent(ad_specs: Any) -> bytes:
    """The list as the caller wrote it, or as JSON where it came inside a JSON body."""
    text = ad_specs if isinstance(ad_specs, str) else json.dumps(ad_specs, ensure_ascii=False)
    return text.encode()


def _notification_uri(parameters: Mapping[str, Any]) -> str | None:
    uri = _text(parameters, "notification_uri")
    if uri is None or uri == "":
        return None
    try:
        parts = urlsplit(uri)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or re.search(r"[\x00-\x20\x7f]", uri):
        raise BadParameter(
            "notification_uri", "Param notification_uri must be a valid http or https URI."
        )
    return uri


def _mode(parameters: Mapping[str, Any], *, uri: str | None) -> str:
    value = parameters.get("notification_mode")
    if value is None or value == "":
        return MODE_ON_COMPLETE if uri else MODE_OFF
    mode = notification_mode(value)
    if mode is None:
        raise BadParameter(
            "notification_mode", "Param notification_mode must be one of OFF, ON_COMPLETE, 0, 1."
        )
    if mode == MODE_ON_COMPLETE and uri is None:
        raise BadParameter(
            "notification_uri",
            "Param notification_uri is required when notification_mode is ON_COMPLETE.",
        )
    return mode
