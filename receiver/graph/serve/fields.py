"""The fields of an answer: which are asked for, with expansion, and which a record shows.

The grammar is Graph's field expansion: ``id,requests.limit(50){id,status},creative{name}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from receiver.graph.serve.parameters import BadParameter, decode_json
from receiver.graph.vocabulary import Node

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[{},]|\.[a-z_]+\([^()]*\))\s*")
_MAX_DEPTH = 8
_MAX_FIELDS = 1000


@dataclass(frozen=True)
class Field:
    """One field asked for. ``parameters`` are those of an edge (``limit``, ``status`` …).

    ``fields`` are the ones wanted of what the field holds; empty for its defaults.
    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def unknown_field(name: str, *, node: Node) -> BadParameter:
    return BadParameter(
        "fields", f"Tried accessing nonexisting field ({name}) on node type ({node.name})"
    )


def parse_expansion(value: object) -> tuple[Field, ...]:
    """Read ``fields``: a text with expansion, or a list of such texts, perhaps as JSON in a text.

    Which fields exist is the node's affair: nothing is checked here but the grammar.

    Raises BadParameter for what has no meaning, and for what is nested or long beyond use.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = decode_json({"fields": value}, "fields", lenient=True)
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return _parse(text)


@lru_cache(maxsize=256)
def _parse(text: str) -> tuple[Field, ...]:
    tokens = list(_tokens(text))
    if len(tokens) > _MAX_FIELDS:
        raise BadParameter("fields", f"Param fields must name at most {_MAX_FIELDS} fields.")
    fields, rest = _read_list(tokens, depth=0)
    if rest:
        raise _syntax_error(rest[0])
    return fields


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if text[place:].strip():
                raise _syntax_error(text[place:][:20])
            return
        yield match[1]
        place = match.end()


def _syntax_error(near: str) -> BadParameter:
    return BadParameter("fields", f"Syntax error in param fields near {near!r}.")


def _read_list(tokens: list[str], *, depth: int) -> tuple[tuple[Field, ...], list[str]]:
    """Read fields up to a closing brace or the end; return them and the tokens left."""
    if depth > _MAX_DEPTH:
        raise BadParameter("fields", "Param fields is nested too deeply.")
    fields: dict[str, Field] = {}
    while tokens and tokens[0] != "}":
        if tokens[0] == ",":
            tokens = tokens[1:]
            continue
        one, tokens = _read_field(tokens, depth=depth)
        fields[one.name] = one
        if tokens and tokens[0] not in (",", "}"):
            raise _syntax_error(tokens[0])
    return tuple(fields.values()), tokens


def _read_field(tokens: list[str], *, depth: int) -> tuple[Field, list[str]]:
    name, tokens = tokens[0], tokens[1:]
    if name in ("{", ",") or name.startswith("."):
        raise _syntax_error(name)
    parameters: dict[str, str] = {}
    while tokens and tokens[0].startswith("."):
        key, _, argument = tokens[0][1:-1].partition("(")
        parameters[key] = argument.strip()
        tokens = tokens[1:]
    inner: tuple[Field, ...] = ()
    if tokens and tokens[0] == "{":
        inner, tokens = _read_list(tokens[1:], depth=depth + 1)
        if not tokens:
            raise _syntax_error("the end")
        tokens = tokens[1:]
    return Field(name, parameters, inner), tokens


def write_fields(fields: Sequence[Field]) -> str:
    """Write fields as ``parse_expansion`` reads them."""
    return ",".join(map(_write_field, fields))


def _write_field(one: Field) -> str:
    modifiers = "".join(f".{name}({value})" for name, value in one.parameters.items())
    inner = f"{{{write_fields(one.fields)}}}" if one.fields else ""
    return f"{one.name}{modifiers}{inner}"


def select_fields(record: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the record's chosen fields. The id always comes along; what is None is left out."""
    chosen = dict.fromkeys((*fields, "id"))
    return {name: record[name] for name in chosen if record.get(name) is not None}
