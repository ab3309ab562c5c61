"""The references of a batch: ``{result=name:$.path}`` stands for what another operation answered.

The page shows ``{result=create_adimage:$.images.*.hash}``; the facts (section 3) say how much of
JSONPath is needed: ``$``, ``.key``, ``.*``, ``[n]``, ``[*]``. Quoted keys (``['a.b']``) come with
it, and nothing else, so that each step of a path looks at a value of the result at most once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonpath import JSONPathEnvironment, JSONPathError, JSONPathMatch, JSONPathSyntaxError
from jsonpath.lex import Lexer
from jsonpath.segments import JSONPathSegment
from jsonpath.stream import TokenStream
from jsonpath.token import (
    TOKEN_DOT,
    TOKEN_DOUBLE_QUOTE_STRING,
    TOKEN_INT,
    TOKEN_LBRACKET,
    TOKEN_NAME,
    TOKEN_RBRACKET,
    TOKEN_ROOT,
    TOKEN_SINGLE_QUOTE_STRING,
    TOKEN_WILD,
    Token,
)

_REFERENCE = re.compile(r"\{result=([\w .-]++):([^{}]*+)\}")
_ESCAPED_QUOTE = re.compile(r'\\++"')
_MAX_PATH = 500
_MAX_MATCHES = 1000
"""At each step of a path: more than the largest page holds."""
_MAX_DISTINCT = 50
"""As many as a sync batch has operations."""
_MAX_LENGTH = 1_000_000
"""Characters that the references of one text may bring in."""

_GRAMMAR = frozenset(
    {
        TOKEN_ROOT,
        TOKEN_DOT,
        TOKEN_NAME,
        TOKEN_WILD,
        TOKEN_LBRACKET,
        TOKEN_INT,
        TOKEN_DOUBLE_QUOTE_STRING,
        TOKEN_SINGLE_QUOTE_STRING,
        TOKEN_RBRACKET,
    }
)


@dataclass(frozen=True)
class Reference:
    """One reference: the name of an operation, and a path into its result, both as written."""

    name: str
    path: str


class UnresolvedReference(ValueError):
    """Nothing can stand in a reference's place; ``reference`` is the one."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(f"Nothing is found for {{result={reference.name}:{reference.path}}}.")
        self.reference = reference


def find_references(text: str) -> tuple[Reference, ...]:
    """Return every reference of a text that is percent-decoded already, in the text's order.

    A name holds letters, digits, spaces and ``-_.``; a path holds anything but braces, and whether
    it is JSONPath shows when it is resolved.
    """
    return tuple(_reference(match) for match in _REFERENCE.finditer(text))


def substitute(text: str, *, results: Mapping[str, Any]) -> str:
    """Replace every reference by what its path finds in its operation's result, a JSON value.

    Several matches are joined by commas (the facts, section 3). Strings stand as they are, anything
    else as compact JSON; null counts as not found. What is put in is not searched again.

    Raises UnresolvedReference when there is no result of that name, when the path finds nothing or
    is not of this module's grammar, and when more is found than a text may take in.
    """
    values = _resolve_all(find_references(text), results=results)
    return _REFERENCE.sub(lambda match: values[_reference(match)], text)


def _reference(match: re.Match[str]) -> Reference:
    return Reference(name=match[1], path=match[2])


def _resolve_all(
    references: Iterable[Reference], *, results: Mapping[str, Any]
) -> dict[Reference, str]:
    values: dict[Reference, str] = {}
    length = 0
    for reference in references:
        if reference not in values:
            values[reference] = _resolve(reference, results=results)
        length += len(values[reference])
        if length > _MAX_LENGTH or len(values) > _MAX_DISTINCT:
            raise UnresolvedReference(reference)
    return values


def _resolve(reference: Reference, *, results: Mapping[str, Any]) -> str:
    if reference.name not in results:
        raise UnresolvedReference(reference)
    try:
        found = _find(reference.path, result=results[reference.name])
        words = [_word(value) for value in found if value is not None]
    except (JSONPathError, ValueError, RecursionError):
        raise UnresolvedReference(reference) from None
    if not words:
        raise UnresolvedReference(reference)
    return ",".join(words)


def _find(path: str, *, result: Any) -> list[Any]:
    """Follow a path step by step; raises JSONPathError or ValueError for one that leads nowhere.

    The library's own search would parse a result that is a string, and bounds no step.
    """
    matches = [
        JSONPathMatch(filter_context={}, obj=result, parent=None, path="$", parts=(), root=[])
    ]
    for segment in _parse(path):
        matches = list(islice(segment.resolve(matches), _MAX_MATCHES + 1))
        if len(matches) > _MAX_MATCHES:
            raise ValueError("the path leads to too many values")
    return [match.obj for match in matches]


def _parse(path: str) -> tuple[JSONPathSegment, ...]:
    if len(path) > _MAX_PATH:
        raise ValueError("the path is too long")
    # Inside JSON a quoted key has escaped quotes: {"hash": "{result=image:$[\"a.b\"].hash}"}.
    tokens = _JSONPATH.lexer.tokenize(_ESCAPED_QUOTE.sub('"', path))
    return tuple(_JSONPATH.parser.parse(TokenStream(tokens)))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class _Lexer(Lexer):
    """Lets only the tokens of the grammar through: no filter, function, slice, union or descent."""

    # Unlike RFC 9535: keys may begin with a digit, as ids do.
    key_pattern = r"[\w\u0080-\U0010ffff-]+"

    def tokenize(self, path: str) -> Iterator[Token]:
        for token in super().tokenize(path):
            if token.kind not in _GRAMMAR:
                raise JSONPathSyntaxError("not in the grammar of references", token=token)
            yield token


class _Environment(JSONPathEnvironment):
    lexer_class = _Lexer


_JSONPATH = _Environment(strict=True)
