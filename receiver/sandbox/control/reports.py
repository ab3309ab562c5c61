"""What really happened."""

from __future__ import annotations

from typing import Any

from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.ledger import ledger
from receiver.sandbox.state import Sandbox


def show_ledger(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    account = call.query_parameters.get("account")
    with sandbox.scene() as scene:
        return ledger(scene.world, account=account)


def show_calls(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    with sandbox.scene() as scene:
        return scene.calls.report()
