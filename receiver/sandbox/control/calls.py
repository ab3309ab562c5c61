"""What every control call has in common: its body is read against a model, its faults are told."""

from __future__ import annotations

from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.validation import ModelT, Unreadable, read_model


class ControlFault(Exception):
    """A control call that cannot be done; ``status`` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_body(call: Call, model: type[ModelT]) -> ModelT:
    """Read a body; an empty one stands for ``{}``. Raises ControlFault."""
    try:
        return read_model(call.body or b"{}", model)
    except Unreadable as error:
        raise ControlFault(str(error)) from error
