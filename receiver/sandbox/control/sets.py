"""Control of single sets: how far they are, and what reads of them show."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.calls import ControlFault, read_body
from receiver.sandbox.state import Sandbox


class Advance(BaseModel):
    """How many more requests of a set are to be processed by hand."""

    model_config = ConfigDict(extra="forbid")
    requests: int = Field(ge=1)


class Override(BaseModel):
    """Raw values that reads of one set or request show in place of the true ones."""

    model_config = ConfigDict(extra="forbid")
    id: str
    fields: dict[str, Any]


def complete(sandbox: Sandbox, _call: Call, set_id: str) -> dict[str, Any]:
    return _process(sandbox, set_id=set_id, count=None)


def advance(sandbox: Sandbox, call: Call, set_id: str) -> dict[str, Any]:
    return _process(sandbox, set_id=set_id, count=read_body(call, Advance).requests)


def _process(sandbox: Sandbox, *, set_id: str, count: int | None) -> dict[str, Any]:
    with sandbox.scene() as scene:
        request_set = scene.world.find_set(set_id)
        if request_set is None:
            raise ControlFault("There is no such set.", status=404)
        request_set.advance_by_hand(len(request_set.requests) if count is None else count)
        scene.world.refresh(request_set, now=sandbox.clock())
        return {"id": set_id, "is_completed": request_set.is_completed}


def add_override(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    override = read_body(call, Override)
    with sandbox.scene() as scene:
        scene.overrides.setdefault(override.id, {}).update(override.fields)
    return {"id": override.id}
