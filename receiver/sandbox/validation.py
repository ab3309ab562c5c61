"""What a validation found wrong, in words for whoever wrote the JSON."""

from __future__ import annotations

from pydantic import ValidationError

_WORDS = {"extra_forbidden": "there is no such key", "model_type": "must be an object"}
_OWN_WORDS = "Value error, "
_OF_A_KEY = "[key]"


def first_problem(error: ValidationError) -> str:
    """Name the first wrong key, with dots between its levels, and say what is wrong with it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != _OF_A_KEY)
    message = _WORDS.get(first["type"], first["msg"].removeprefix(_OWN_WORDS))
    return f"{place}: {message}" if place else message
