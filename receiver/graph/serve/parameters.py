"""A call's parameters: read from query and body, and the values that they may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.graph.lenient_json import loads_lenient, loads_strict

_MAX_STATUSES = 100
"""Far more than there are."""


class BadParameter(ValueError):
    """A parameter that cannot be used; ``name`` is the parameter, the message says why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message

    @classmethod
    def missing(cls, name: str) -> BadParameter:
        return cls(name, f"The parameter {name} is required.")


class MissingParameter(BadParameter):
    """An async batch, or an operation of it, lacks a part: code 194 (the facts, section 2)."""

    @classmethod
    def named(cls, name: str) -> MissingParameter:
        return cls(name, f"Missing at least one required parameter: {name}")


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
        value = loads_strict(body)
    except ValueError as error:
        raise BadParameter("body", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise BadParameter("body", "The JSON body must be an object.")
    return value


def decode_json(parameters: Mapping[str, Any], name: str, *, lenient: bool = False) -> Any:
    """Return a parameter that holds JSON, whether it came as JSON or as JSON in a string.

    ``lenient`` also takes what the page prints and is no JSON (``loads_lenient``).

    Raises BadParameter for a string that is no JSON.
    """
    value = parameters.get(name)
    if not isinstance(value, str):
        return value
    try:
        return loads_lenient(value) if lenient else loads_strict(value)
    except ValueError as error:
        raise BadParameter(name, f"Param {name} must be valid JSON.") from error


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


def parse_ids(value: object) -> tuple[str, ...]:
    """Return the ids in ``ids``, each once: separated by commas, or in a JSON array.

    Each counts as a call (the facts, section 3).
    """
    if isinstance(value, str):
        value = _split(value)
    words = value if isinstance(value, list | tuple) else () if value is None else (value,)
    return tuple(dict.fromkeys(text for word in words if (text := str(word).strip())))


def _split(text: str) -> object:
    try:
        words = loads_lenient(text)
    except ValueError:
        return text.split(",")
    return words if isinstance(words, list) else text.split(",")


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
