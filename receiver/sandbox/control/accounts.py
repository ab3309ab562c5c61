"""Control of accounts: how they behave, what they hold, and which tokens they are for."""

from __future__ import annotations

from typing import Any

from receiver.sandbox.calls.access import AccessToken
from receiver.sandbox.calls.messages import Call
from receiver.sandbox.control.calls import read_body
from receiver.sandbox.scene import AccountChange
from receiver.sandbox.state import Sandbox
from receiver.sandbox.world.behaviour import BehaviourChange
from receiver.sandbox.world.old_sets import OldSets, make_old_sets


def change_account(sandbox: Sandbox, call: Call, account_id: str) -> dict[str, Any]:
    change = read_body(call, AccountChange)
    with sandbox.scene() as scene:
        scene.change_account(account_id, change)
    return {"account": account_id}


def change_defaults(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    change = read_body(call, BehaviourChange)
    with sandbox.scene() as scene:
        scene.world.change_defaults(change)
    return {}


def add_old_sets(sandbox: Sandbox, call: Call, account_id: str) -> dict[str, Any]:
    old = read_body(call, OldSets)
    with sandbox.scene() as scene:
        world = scene.world
        made = make_old_sets(account_id, old, new_id=world.new_id, now=sandbox.clock())
        world.add_old_sets(account_id, made)
    return {"account": account_id, "count": len(made)}


def add_token(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    token = read_body(call, AccessToken)
    with sandbox.scene() as scene:
        scene.world.tokens[token.token] = token
    return token.model_dump(mode="json")
