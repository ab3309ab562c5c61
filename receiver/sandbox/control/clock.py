"""Control of the sandbox's time, and of its beginning."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.calls import ControlFault, read_body
from receiver.sandbox.state import Sandbox


class ClockChange(BaseModel):
    """How far the clock goes forward, and whether it stands still from then on."""

    model_config = ConfigDict(extra="forbid")
    move_seconds: float = Field(default=0, ge=0, le=10 * 365 * 86_400)
    frozen: bool | None = None


def show_clock(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    clock = sandbox.clock
    return {
        "time": clock().isoformat(),
        "frozen": clock.is_frozen,
        "ahead_seconds": round(clock.ahead_seconds, 3),
    }


def change_clock(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    change = read_body(call, ClockChange)
    try:
        sandbox.change_clock(move_seconds=change.move_seconds, frozen=change.frozen)
    except ValueError as error:
        raise ControlFault(f"move_seconds: {error}") from error
    return show_clock(sandbox, call)


def reset(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    sandbox.reset()
    return {}
