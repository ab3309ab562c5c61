"""What every control call has in common: its body is read against a model, its faults are told."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from receiver.sandbox.messages import Call
from receiver.sandbox.validation import first_problem

ModelT = TypeVar("ModelT", bound=BaseModel)


class ControlFault(Exception):
    """A control call that cannot be done; ``status`` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_body(call: Call, model: type[ModelT]) -> ModelT:
    """Read a body; an empty one stands for ``{}``. Raises ControlFault."""
    try:
        return model.model_validate(json.loads(call.body or b"{}"))
    except ValidationError as error:
        raise ControlFault(first_problem(error)) from error
    except (ValueError, RecursionError) as error:
        raise ControlFault("The body is not valid JSON.") from error
