"""Reading JSON: strictly, and as people paste it.

The page prints operations that are no JSON (single quotes, trailing commas), and a shell takes the
quotes off what stands in its examples: ``[{field:ad.id,operator:IN,value:[6003356308839]}]``.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_WORD = r"""[^\s\[\]{}:,'"\\]++"""
_TOKEN = re.compile(
    rf"""
      (?P<text>"(?:[^"\\]|\\.)*+")
    | (?P<quoted>'(?:[^'\\]|\\.)*+')
    | (?P<key>{_WORD})(?=\s*:)
    | (?P<word>{_WORD})(?:"(?=\s*[,\]}}]))?
    | (?P<trailing>,)(?=\s*[\]}}])
    | (?P<mark>[\[\]{{}}:,])
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LITERAL = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|NaN|-?Infinity"
)
_ESCAPE_OR_QUOTE = re.compile(r"\\.|\"", re.DOTALL)
_REQUOTED = {"\\'": "'", '"': '\\"'}


def loads_strict(text: str | bytes) -> Any:
    """Read JSON strictly: Python's parser takes NaN and Infinity, which no other reader does.

    Raises ValueError, also for a number that is too large and for JSON nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    """A number such as 1e400 becomes infinity, which cannot be written as JSON again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def loads_lenient(text: str) -> Any:
    """Read JSON, or an object or array with single quotes, trailing commas and bare words.

    A bare word is a key or a string, unless JSON knows it: a number, true, false, null. The page
    prints one whose opening quote is lost: its closing one is passed over. Outside of
    an object or array it stays an error, so that callers can tell a text from JSON.

    Raises ValueError for everything else.
    """
    try:
        return loads_strict(text)
    except ValueError:
        if not text.lstrip().startswith(("[", "{")):
            raise
    return loads_strict(_rewrite(text))


def _rewrite(text: str) -> str:
    """Write each token as JSON has it; whether they follow each other as in JSON is not asked."""
    tokens = [""]
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[match.lastgroup or 0]
        if kind == "other":
            raise ValueError(f"{token!r} at {match.start()} is no JSON")
        if kind == "space" or (kind == "trailing" and tokens[-1] not in ("[", "{", ":", ",")):
            continue
        tokens.append(_rewrite_token(token, kind=kind))
    return " ".join(tokens)


def _rewrite_token(token: str, *, kind: str | None) -> str:
    if kind == "quoted":
        return f'"{_ESCAPE_OR_QUOTE.sub(_requote, token[1:-1])}"'
    if kind == "key" or (kind == "word" and not _LITERAL.fullmatch(token)):
        return json.dumps(token)
    return token


def _requote(match: re.Match[str]) -> str:
    return _REQUOTED.get(match.group(), match.group())
