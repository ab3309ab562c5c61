"""A sync batch, planned and sent in as many calls as it takes."""

from __future__ import annotations

from receiver.store.keys import Caller
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.call import GraphCall


def answer(call: GraphCall, holder: Caller) -> Answer:
    """Answer ``POST /`` with ``batch``: a list of entries in the order of the operations."""
    raise NotImplementedError
