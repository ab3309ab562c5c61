"""Which part of the gateway answers a call: its own sets, a batch, or Facebook."""

from __future__ import annotations

from receiver.store.keys import Caller
from receiver.web.gateway import access, batches, pass_through
from receiver.web.gateway.answer import Answer, with_etag
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import routes as own_routes


def answer(call: GraphCall) -> Answer:
    """Answer a call, whether it came by HTTP or is an operation of a batch.

    Raises Fault, BadParameter, DatabaseAway, CannotOpen.
    """
    holder = access.holder(call)
    pass_through.refuse_tokens(call)
    if call.is_batch:
        return batches.answer(call, holder)
    return with_etag(_answer(call, holder), call)


def _answer(call: GraphCall, holder: Caller) -> Answer:
    if call.ids:
        return own_routes.read_many(call, holder)
    return own_routes.answer(call, holder) or pass_through.answer(call, holder)


def is_own(call: GraphCall, holder: Caller) -> bool:
    """Tell whether the gateway itself answers a call: it creates, lists or addresses our sets."""
    return own_routes.is_own(call, holder)
