"""Several objects in one read, ``ids=``: ours from SQL, the others from Facebook in one call."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from receiver.store.keys import Caller
from receiver.web.gateway import pass_through
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import nodes
from receiver.web.gateway.own.show import Json

_OK = 200


def read_many(call: GraphCall, holder: Caller) -> Answer | None:
    """Answer ``GET /?ids=…`` or ``/requests?ids=…``; None where no id is one of ours.

    One that does not exist fails all (the facts, section 3). Raises Fault and BadParameter.
    """
    if call.segments not in ((), ("requests",)):
        return None
    own = nodes.show_many(call, holder, call.ids, edge="".join(call.segments) or None)
    if not own:
        return None
    missing = [each for each in call.ids if each not in own]
    others: Json = {}
    if missing:
        answer = pass_through.answer(_narrowed(call, missing), holder)
        if answer.status != _OK:
            return answer
        others = json.loads(answer.body)
    shown = {each: own[each] if each in own else others.get(each) for each in call.ids}
    return json_answer(shown, call, source="graph" if missing else "store")


def _narrowed(call: GraphCall, ids: Collection[str]) -> GraphCall:
    """The same call for these ids only, and whatever its caller holds already."""
    named = ",".join(ids)
    query = (*(pair for pair in call.query if pair[0] != "ids"), ("ids", named))
    headers = {name: text for name, text in call.headers.items() if name != "if-none-match"}
    return replace(call, query=query, parameters={**call.parameters, "ids": named}, headers=headers)
