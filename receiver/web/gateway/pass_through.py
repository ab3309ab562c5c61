"""Every other call: passed on to Facebook with the credential of the caller's key."""

from __future__ import annotations

from receiver.store.keys import Caller
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.call import GraphCall


def refuse_tokens(call: GraphCall) -> None:
    """Raise Fault (200) for a path or a field that mints or shows tokens."""


def answer(call: GraphCall, holder: Caller) -> Answer:
    """Pass a call on and answer what Facebook answers. Raises Fault, CannotOpen, DatabaseAway."""
    raise NotImplementedError
