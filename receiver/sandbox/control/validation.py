"""JSON that a person writes, read against a model; what is wrong with it is told in their words."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from receiver.graph.serve import loads_strict

ModelT = TypeVar("ModelT", bound=BaseModel)

_WORDS = {
    "extra_forbidden": "there is no such key",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be an array",
}
_OWN_WORDS = "Value error, "
_OF_A_KEY = "[key]"


class Unreadable(ValueError):
    """JSON that cannot be used; the message names the first wrong key."""


def read_model(text: bytes, model: type[ModelT]) -> ModelT:
    """Read JSON, strictly, as a model. Raises Unreadable."""
    try:
        return model.model_validate(loads_strict(text))
    except ValidationError as error:
        raise Unreadable(_first_problem(error)) from error
    except ValueError as error:
        raise Unreadable(f"it is not JSON ({error})") from error


def _first_problem(error: ValidationError) -> str:
    """Name the first wrong key, with dots between its levels, and say what is wrong with it."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != _OF_A_KEY)
    message = _WORDS.get(first["type"], first["msg"].removeprefix(_OWN_WORDS))
    return f"{place}: {message}" if place else message
