"""What a call says of an object: its fields, read and checked, and the lists that filters hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import Node
from receiver.sandbox.calls.ids import is_object_id
from receiver.sandbox.views.context import Json
from receiver.sandbox.views.nodes import JSON_FIELDS
from receiver.sandbox.world.work import normalise_spec

_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")

_DERIVED = frozenset(
    {
        "id",
        "account_id",
        "adset",
        "campaign",
        "configured_status",
        "effective_status",
        "created_time",
        "updated_time",
    }
)
"""The fields that no caller gives."""


def read_fields(parameters: Mapping[str, Any], *, node: Node) -> Json:
    """Return the fields of a node that a call gives; what the node does not have is passed over.

    Raises BadParameter naming the field that is wrong.
    """
    return {
        name: _read_field(parameters, name)
        for name in node.fields
        if name not in _DERIVED and parameters.get(name) is not None
    }


def _read_field(parameters: Mapping[str, Any], name: str) -> Any:
    value = parameters[name]
    if name == "name":
        return serve.parse_name(parameters)
    if name == "status":
        return _read_status(value)
    if name in ("adset_id", "campaign_id") and not is_object_id(value):
        raise BadParameter.missing(name)
    if name in JSON_FIELDS:
        value = serve.decode_json(parameters, name, lenient=True)
        if not isinstance(value, dict | list):
            raise BadParameter(name, f"Param {name} must be an object or an array.")
    return normalise_spec(value, name=name, key=name)


def _read_status(value: object) -> str:
    status = str(value).upper()
    if status not in _STATUSES:
        raise BadParameter("status", f"Param status must be one of {{{', '.join(_STATUSES)}}}.")
    return status


def require(fields: Json, names: Iterable[str]) -> None:
    """Raise BadParameter for the first name that is not among the fields, or empty."""
    for name in names:
        if fields.get(name) in (None, ""):
            raise BadParameter.missing(name)


def read_words(parameters: Mapping[str, Any], name: str) -> frozenset[str] | None:
    """Return the words or ids that a filter names: a JSON array, of strings or numbers.

    None when the call does not filter. Raises BadParameter for what is no such array.
    """
    if parameters.get(name) in (None, ""):
        return None
    words = serve.decode_json(parameters, name, lenient=True)
    if not isinstance(words, list) or not all(isinstance(word, str | int) for word in words):
        raise BadParameter(name, f"Param {name} must be an array.")
    return frozenset(map(str, words))
