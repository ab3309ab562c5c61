"""Rows as JSON (pure): ids as strings, times in ISO 8601, what Facebook sent as text."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from receiver.lifecycle.shapes import json_value

_INTERNAL = ("lease_token", "credential_id", "etag", "parameters_hash")


def as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with JSON values only; what is for the receiver's own use is left out."""
    return {name: _value(name, value) for name, value in row.items() if name not in _INTERNAL}


def notification_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notification: its body as text for people, and exactly, in base64."""
    body: bytes = row["body"]
    rest = {name: value for name, value in row.items() if name not in ("body", "headers")}
    return {
        **as_json(rest),
        "headers": json.loads(row["headers"]),
        "body": body.decode("utf-8", "replace"),
        "body_base64": base64.b64encode(body).decode(),
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return json_value(name, value)
