"""Who asks: the holder of the key that a call or a person's session carries."""

from __future__ import annotations

from typing import cast

from flask import g

from receiver.store.audit import Actor
from receiver.store.keys import Caller


def set_holder(caller: Caller) -> None:
    """Note who the present request is from."""
    g.holder = caller


def holder() -> Caller:
    """Return whose key the request carries."""
    return cast("Caller", g.holder)


def actor() -> Actor:
    """Return who acts, for the audit log."""
    return Actor(f"key {holder().name}", api_key_id=holder().key_id)
