"""Control of what goes wrong with calls."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls.batches import BatchBehaviour
from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.calls import read_body
from receiver.sandbox.state import Sandbox
from receiver.sandbox.troubles.trouble import TroubleRule


class Latency(BaseModel):
    """How long every Graph call, and every operation of a batch, waits before anything happens."""

    model_config = ConfigDict(extra="forbid")
    latency_ms: float = Field(ge=0, le=600_000)
    operation_latency_ms: float = Field(default=0, ge=0, le=600_000)


def add_trouble(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    rule = read_body(call, TroubleRule)
    with sandbox.scene() as scene:
        scene.troubles.add(rule)
    return rule.model_dump()


def show_troubles(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    with sandbox.scene() as scene:
        return {"troubles": scene.troubles.report()}


def clear_troubles(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    with sandbox.scene() as scene:
        return {"cleared": scene.troubles.clear()}


def set_latency(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    latency = read_body(call, Latency)
    with sandbox.scene() as scene:
        scene.latency_seconds = latency.latency_ms / 1000
        scene.operation_latency_seconds = latency.operation_latency_ms / 1000
    return latency.model_dump()


def set_batches(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    behaviour = read_body(call, BatchBehaviour)
    with sandbox.scene() as scene:
        scene.batches = behaviour
    return behaviour.model_dump()


def release(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return {"released": sandbox.release()}
