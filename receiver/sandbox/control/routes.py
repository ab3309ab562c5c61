"""Which view answers a control call, and the list of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from receiver.sandbox.calls.messages import Answer, Call, json_bytes
from receiver.sandbox.control import accounts, clock, reports, sets, troubles
from receiver.sandbox.control.calls import ControlFault
from receiver.sandbox.state import Sandbox

_ACCOUNT = "act_<id>"
_SET = "<set>"
_PATTERNS = {_ACCOUNT: "(?:act_)?([0-9]{1,20})", _SET: "([0-9]{1,20})"}


@dataclass(frozen=True)
class Route:
    """A control call: how it is written, what it does, and the view that does it.

    A view gets the sandbox, the call, and the id where the path has one.
    """

    method: str
    path: str
    does: str
    view: Callable[..., dict[str, Any]]

    def match(self, call: Call) -> re.Match[str] | None:
        pattern = "/".join(_PATTERNS.get(part, part) for part in self.path.split("/"))
        is_meant = self.method == call.method
        return re.fullmatch(pattern, call.path.rstrip("/")) if is_meant else None


def answer_control(sandbox: Sandbox, call: Call) -> Answer:
    """Answer a control call: JSON, with ``{"error": "…"}`` for what cannot be done."""
    try:
        return Answer(200, json_bytes(_answer(sandbox, call)))
    except ControlFault as fault:
        return Answer(fault.status, json_bytes({"error": str(fault)}))


def _answer(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    for route in ROUTES:
        match = route.match(call)
        if match:
            return route.view(sandbox, call, *match.groups())
    raise ControlFault("There is no such control call. GET /sandbox lists them.", status=404)


def _show_routes(_sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return {"calls": {f"{route.method} {route.path}": route.does for route in ROUTES}}


ROUTES = (
    Route("GET", "/sandbox", "lists the control calls", _show_routes),
    Route(
        "POST",
        f"/sandbox/accounts/{_ACCOUNT}",
        "changes an account: progress, notification, next_sets, edge, limits",
        accounts.change_account,
    ),
    Route(
        "POST",
        f"/sandbox/accounts/{_ACCOUNT}/old-sets",
        "puts completed sets of the past into an account: count, days",
        accounts.add_old_sets,
    ),
    Route(
        "POST",
        "/sandbox/defaults",
        "changes progress and notification of every account that has none of its own",
        accounts.change_defaults,
    ),
    Route(
        "POST",
        "/sandbox/tokens",
        "makes a token: token, accounts, app_id, user_id, scopes",
        accounts.add_token,
    ),
    Route(
        "POST",
        f"/sandbox/sets/{_SET}/advance",
        "processes so many more requests of a set: requests",
        sets.advance,
    ),
    Route("POST", f"/sandbox/sets/{_SET}/complete", "processes all of them", sets.complete),
    Route(
        "POST",
        "/sandbox/overrides",
        "makes reads of one thing show raw values: id, fields",
        sets.add_override,
    ),
    Route("POST", "/sandbox/troubles", "adds a rule of trouble: kind, …", troubles.add_trouble),
    Route("GET", "/sandbox/troubles", "shows the rules that are left", troubles.show_troubles),
    Route("DELETE", "/sandbox/troubles", "ends all of them", troubles.clear_troubles),
    Route(
        "POST",
        "/sandbox/latency",
        "makes every Graph call wait: latency_ms, operation_latency_ms",
        troubles.set_latency,
    ),
    Route(
        "POST",
        "/sandbox/batches",
        "says how batches end what is not done: unfinished, timeout_seconds",
        troubles.set_batches,
    ),
    Route("POST", "/sandbox/release", "lets all held calls go on", troubles.release),
    Route(
        "POST",
        "/sandbox/clock",
        "moves the clock forward, stops it or lets it go on: move_seconds, frozen",
        clock.change_clock,
    ),
    Route("GET", "/sandbox/clock", "shows the clock", clock.show_clock),
    Route("POST", "/sandbox/reset", "begins again as at the start; ids go on", clock.reset),
    Route("GET", "/sandbox/ledger", "shows every set there really is", reports.show_ledger),
    Route("GET", "/sandbox/calls", "shows every Graph call and what it cost", reports.show_calls),
)
