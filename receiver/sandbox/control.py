"""The control API under ``/sandbox/``: how the sandbox behaves, and what really happened in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from receiver.sandbox.behaviour import BehaviourChange
from receiver.sandbox.ledger import ledger
from receiver.sandbox.messages import Answer, Call, json_bytes
from receiver.sandbox.state import Sandbox
from receiver.sandbox.trouble import TroubleRule

ModelT = TypeVar("ModelT", bound=BaseModel)


class ControlFault(Exception):
    """A control call that cannot be done; ``status`` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Advance(BaseModel):
    """How many more requests of a set are to be processed by hand."""

    model_config = ConfigDict(extra="forbid")
    requests: int = Field(ge=1)


class Override(BaseModel):
    """Raw values that reads of one set or request show in place of the true ones."""

    model_config = ConfigDict(extra="forbid")
    id: str
    fields: dict[str, Any]


class Latency(BaseModel):
    """How long every Graph call waits before anything happens."""

    model_config = ConfigDict(extra="forbid")
    latency_ms: float = Field(ge=0, le=600_000)


def answer_control(sandbox: Sandbox, call: Call) -> Answer:
    """Answer a control call: JSON, with ``{"error": "…"}`` for what cannot be done."""
    try:
        return Answer(200, json_bytes(_find_view(call)(sandbox, call)))
    except ControlFault as fault:
        return Answer(fault.status, json_bytes({"error": str(fault)}))


def _find_view(call: Call) -> Callable[[Sandbox, Call], Any]:
    for method, pattern, view in _ROUTES:
        match = re.fullmatch(pattern, call.path)
        if match and method == call.method:
            return lambda sandbox, call: view(sandbox, call, *match.groups())
    raise ControlFault("There is no such control call.", status=404)


def _read_body(call: Call, model: type[ModelT]) -> ModelT:
    try:
        return model.model_validate(json.loads(call.body or b"{}"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ControlFault(f"{place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise ControlFault("The body is not valid JSON.") from error


def _change_account(sandbox: Sandbox, call: Call, account_id: str) -> dict[str, Any]:
    change = _read_body(call, BehaviourChange)
    with sandbox.scene() as scene:
        scene.world.account(account_id).settings.add(change)
    return {"account": account_id}


def _change_defaults(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    change = _read_body(call, BehaviourChange)
    if change.next_sets is not None:
        raise ControlFault("next_sets: belongs to an account.")
    with sandbox.scene() as scene:
        scene.world.change_defaults(change)
    return {}


def _complete(sandbox: Sandbox, _call: Call, set_id: str) -> dict[str, Any]:
    return _process(sandbox, set_id=set_id, count=None)


def _advance(sandbox: Sandbox, call: Call, set_id: str) -> dict[str, Any]:
    return _process(sandbox, set_id=set_id, count=_read_body(call, Advance).requests)


def _process(sandbox: Sandbox, *, set_id: str, count: int | None) -> dict[str, Any]:
    with sandbox.scene() as scene:
        request_set = scene.world.find_set(set_id)
        if request_set is None:
            raise ControlFault("There is no such set.", status=404)
        request_set.advance_by_hand(len(request_set.requests) if count is None else count)
        scene.world.refresh(request_set, now=sandbox.clock())
        return {"id": set_id, "is_completed": request_set.is_completed}


def _add_trouble(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    rule = _read_body(call, TroubleRule)
    with sandbox.scene() as scene:
        scene.troubles.add(rule)
    return rule.model_dump()


def _set_latency(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    latency = _read_body(call, Latency)
    with sandbox.scene() as scene:
        scene.latency_seconds = latency.latency_ms / 1000
    return latency.model_dump()


def _add_override(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    override = _read_body(call, Override)
    with sandbox.scene() as scene:
        scene.overrides.setdefault(override.id, {}).update(override.fields)
    return {"id": override.id}


def _release(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return {"released": sandbox.release()}


def _reset(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    sandbox.reset()
    return {}


def _show_ledger(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    account = call.query_parameters.get("account")
    with sandbox.scene() as scene:
        return ledger(scene.world, account=account, now=sandbox.clock())


def _show_calls(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    with sandbox.scene() as scene:
        return scene.calls.report()


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("POST", r"/sandbox/accounts/(?:act_)?([0-9]{1,20})", _change_account),
    ("POST", r"/sandbox/defaults", _change_defaults),
    ("POST", r"/sandbox/sets/([0-9]{1,20})/complete", _complete),
    ("POST", r"/sandbox/sets/([0-9]{1,20})/advance", _advance),
    ("POST", r"/sandbox/troubles", _add_trouble),
    ("POST", r"/sandbox/latency", _set_latency),
    ("POST", r"/sandbox/overrides", _add_override),
    ("POST", r"/sandbox/release", _release),
    ("POST", r"/sandbox/reset", _reset),
    ("GET", r"/sandbox/ledger", _show_ledger),
    ("GET", r"/sandbox/calls", _show_calls),
)
