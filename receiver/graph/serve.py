"""The server's half of the Graph protocol, without I/O: parameters, fields and pages.

The sandbox and the gateway both answer with it. What is wrong with a call is raised as
``BadParameter``; each server words its own error body.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from receiver.graph.vocabulary import (
    DEFAULT_PAGE_LIMIT,
    MAX_ADS_PER_SET,
    MAX_PAGE_LIMIT,
    MODE_OFF,
    MODE_ON_COMPLETE,
    Node,
    notification_mode,
)

_POSITIVE_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_MAX_POSITION = 2**63 - 1
_MAX_STATUSES = 100
"""Far more than there are."""


class BadParameter(ValueError):
    """A parameter that cannot be used; ``name`` is the parameter, the message says why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def read_parameters(
    query: Iterable[tuple[str, str]],
    *,
    form: Iterable[tuple[str, str]] = (),
    json_body: bytes = b"",
) -> dict[str, Any]:
    """Merge a call's parameters: the query, then the form or the JSON object of the body.

    The body wins over the query. Values are strings, or whatever JSON holds.

    Raises BadParameter (name ``body``) for a JSON body that is no object.
    """
    parameters: dict[str, Any] = dict(query)
    parameters.update(form)
    if json_body.strip():
        parameters.update(_json_object(json_body))
    return parameters


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = _loads(body)
    except (ValueError, RecursionError) as error:
        raise BadParameter("body", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise BadParameter("body", "The JSON body must be an object.")
    return value


def _loads(text: str | bytes) -> Any:
    """Read JSON strictly: Python's parser takes NaN and Infinity, which no other reader does."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    """A number such as 1e400 becomes infinity, which cannot be written as JSON again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def decode_json(parameters: Mapping[str, Any], name: str) -> Any:
    """Return a parameter that holds JSON, whether it came as JSON or as JSON in a string.

    Raises BadParameter for a string that is no JSON.
    """
    value = parameters.get(name)
    if not isinstance(value, str):
        return value
    try:
        return _loads(value)
    except (ValueError, RecursionError) as error:
        raise BadParameter(name, f"Param {name} must be valid JSON.") from error


def parse_fields(value: object, *, node: Node) -> tuple[str, ...]:
    """Return the fields that a call asks for: the CSV of ``fields``, or the node's defaults.

    Raises BadParameter for a field that the node does not have.
    """
    words = value if isinstance(value, list) else str(value or "").split(",")
    fields = tuple(dict.fromkeys(word for one in words if (word := str(one).strip())))
    if not fields:
        return node.default_fields
    for field in fields:
        if field not in node.fields:
            raise BadParameter(
                "fields", f"Tried accessing nonexisting field ({field}) on node type ({node.name})"
            )
    return fields


def select_fields(record: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the record's chosen fields. The id always comes along; what is None is left out."""
    chosen = dict.fromkeys((*fields, "id"))
    return {field: record[field] for field in chosen if record.get(field) is not None}


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


_FLAGS = {"1": True, "true": True, "0": False, "false": False}


def parse_flag(value: object, *, name: str) -> bool | None:
    """Return a yes or no: ``1``/``true``/``0``/``false`` in any case, or JSON; None for none.

    Raises BadParameter for anything else.
    """
    if value is None or value == "":
        return None
    flag = _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise BadParameter(name, f"Param {name} must be a boolean.")
    return flag


def parse_statuses(parameters: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the statuses asked for, in upper case; None when the call does not filter.

    The page filters with ``status=SUCCESS,ERROR``, the SDK with ``statuses=["SUCCESS","ERROR"]``:
    either name takes either form.

    Raises BadParameter for JSON that is no list of words, and for words that no status can be.
    """
    for name in ("status", "statuses"):
        if parameters.get(name) not in (None, ""):
            return frozenset(word.upper() for word in _words(parameters, name=name))
    return None


def _words(parameters: Mapping[str, Any], *, name: str) -> list[str]:
    value = parameters[name]
    if isinstance(value, str) and not value.lstrip().startswith("["):
        words: Any = [word.strip() for word in value.split(",")]
    else:
        words = decode_json(parameters, name)
    if not isinstance(words, list) or not all(map(_is_word, words)):
        raise BadParameter(name, f"Param {name} must be a list of statuses.")
    if len(words) > _MAX_STATUSES:
        raise BadParameter(name, f"Param {name} must name at most {_MAX_STATUSES} statuses.")
    return words


def _is_word(value: object) -> bool:
    # No database takes U+0000 or half of a surrogate pair, not even to compare.
    return isinstance(value, str) and value.isprintable()


@dataclass(frozen=True)
class NewSet:
    """What the create of a request set asks for, its outer shape checked."""

    name: str
    ad_specs: list[dict[str, Any]]
    notification_uri: str | None
    notification_mode: str


def parse_new_set(parameters: Mapping[str, Any]) -> NewSet:
    """Check the outer shape of a create: what is asked for, never whether an ad could be made.

    A create without a mode asks for no notification (nothing is documented).

    Raises BadParameter naming the field that is wrong.
    """
    name = parse_name(parameters)
    ad_specs = _parse_ad_specs(parameters)
    mode = parse_mode(parameters) or MODE_OFF
    uri = parse_notification_uri(parameters)
    check_notification(mode=mode, uri=uri)
    return NewSet(name, ad_specs, notification_uri=uri, notification_mode=mode)


def parse_name(parameters: Mapping[str, Any]) -> str:
    """Return the ``name`` of a set.

    Raises BadParameter for a missing, an empty, or no string.
    """
    name = parameters.get("name")
    if name is None or name == "":
        raise BadParameter("name", "The parameter name is required.")
    if not isinstance(name, str):
        raise BadParameter("name", "Param name must be a string.")
    return name


def _parse_ad_specs(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    specs = decode_json(parameters, "ad_specs")
    if specs is None:
        raise BadParameter("ad_specs", "The parameter ad_specs is required.")
    if not isinstance(specs, list):
        raise BadParameter("ad_specs", "Param ad_specs must be an array.")
    if not 1 <= len(specs) <= MAX_ADS_PER_SET:
        raise BadParameter("ad_specs", f"Param ad_specs must hold 1 to {MAX_ADS_PER_SET} specs.")
    for index, spec in enumerate(specs):
        if not isinstance(spec, dict):
            raise BadParameter("ad_specs", f"Param ad_specs[{index}] must be an object.")
    return specs


def parse_mode(parameters: Mapping[str, Any]) -> str | None:
    """Return the word of ``notification_mode``, or None when the call does not name one.

    Raises BadParameter for an unknown one.
    """
    value = parameters.get("notification_mode")
    if value is None or value == "":
        return None
    mode = notification_mode(value)
    if mode is None:
        raise BadParameter(
            "notification_mode",
            f"Param notification_mode must be one of {{{MODE_OFF}, {MODE_ON_COMPLETE}}}.",
        )
    return mode


def parse_notification_uri(parameters: Mapping[str, Any]) -> str | None:
    """Return ``notification_uri`` as it came, or None when the call does not name one.

    Raises BadParameter for what is no http or https URL.
    """
    uri = parameters.get("notification_uri")
    if uri is None or uri == "":
        return None
    if not isinstance(uri, str) or not _is_web_address(uri):
        raise BadParameter(
            "notification_uri", "Param notification_uri must be a valid http or https URI."
        )
    return uri


def _is_web_address(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return has_host and parts.scheme in ("http", "https") and uri.isprintable() and " " not in uri


def check_notification(*, mode: str, uri: str | None) -> None:
    """Raise BadParameter for a set that is to notify nobody knows whom."""
    if mode == MODE_ON_COMPLETE and uri is None:
        raise BadParameter(
            "notification_uri",
            f"The parameter notification_uri is required for the mode {MODE_ON_COMPLETE}.",
        )
