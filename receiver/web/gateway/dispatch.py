"""Which part of the gateway answers a single call: its own sets, or Facebook."""

from __future__ import annotations

from receiver.store.keys import Caller
from receiver.web.gateway import access, pass_through
from receiver.web.gateway.answer import Answer, with_etag
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import routes as own_routes
from receiver.web.gateway.tokens import refuse_tokens


def answer(call: GraphCall) -> Answer:
    """Answer a call that is no batch, whether it came by HTTP or is an operation of one.

    Raises Fault, Refused, BadParameter, DatabaseAway, CannotOpen.
    """
    holder = access.holder(call)
    refuse_tokens(call)
    found = own_routes.answer(call, holder) or pass_through.answer(call, holder)
    return with_etag(found, call)


def is_own(call: GraphCall, holder: Caller) -> bool:
    """Tell whether the gateway itself answers a call: it creates, lists or addresses our sets."""
    return own_routes.is_own(call, holder)
