"""Learn at Facebook which account an object belongs to, and remember it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from receiver.graph.errors import CallFailed
from receiver.graph.json_values import read_id
from receiver.graph.passing import Pairs, PassedAnswer, PassedCall
from receiver.store import objects
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.gateway import faults, limits, outgoing
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.faults import Fault, NotShown, Refused

_MOST_IDS = 50
_OWNERS = ("account_id", "owner_id", "async_request_set{owner_id}")
"""The fields that name an object's account: of most, of a request set, of a request."""

_OK = 200
_MISSING_SUBCODE = 33

Owner = int | Fault | Refused


def learn_accounts(nodes: Sequence[str], holder: Caller) -> dict[str, Owner]:
    """Return the account of each object, or why it is not known; remember what was found.

    Several are read in one call, and singly where Facebook refuses that: one bad id fails all.
    Raises Fault, Refused, CannotOpen, DatabaseAway.
    """
    limits.check(None, holder)
    found: dict[str, Owner] = {}
    for some in _chunks(nodes):
        together = _read_together(some, holder) if len(some) > 1 else {}
        found |= together
        for node in some:
            if node not in together:
                found[node] = _read_one(node, holder)
    accounts = {int(node): owner for node, owner in found.items() if isinstance(owner, int)}
    with parts().database.writing() as session:
        objects.remember(session, accounts, now=parts().now())
    return found


def _chunks(nodes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(nodes), _MOST_IDS):
        yield nodes[start : start + _MOST_IDS]


def _read_together(nodes: Sequence[str], holder: Caller) -> dict[str, Owner]:
    answer = _ask("", (("ids", ",".join(nodes)), ("fields", _OWNERS[0])), holder)
    shown = _json(answer)
    owners = {node: read_id(_field(shown, node, _OWNERS[0])) for node in nodes}
    return {node: owner for node, owner in owners.items() if owner is not None}


def _read_one(node: str, holder: Caller) -> Owner:
    """Ask for each of the fields in turn: a node that lacks one refuses the whole read."""
    for field in _OWNERS:
        answer = _ask(node, (("fields", field),), holder)
        owner = read_id(_field(_json(answer), *field.rstrip("}").split("{")))
        if owner is not None:
            return owner
        error = limits.error_in(answer.http_status, answer.headers, answer.body, usage=answer.usage)
        lacks_field = error is None or (
            error.code == faults.PARAMETER and error.subcode != _MISSING_SUBCODE
        )
        if not lacks_field:
            is_missing = error is not None and error.subcode == _MISSING_SUBCODE
            return (NotShown if is_missing else Refused)(_as_it_came(answer))
    return Fault(
        faults.PERMISSION,
        f"This key may not use the object {node}: it belongs to no ad account of the key's.",
        http_status=403,
    )


def _ask(path: str, query: Pairs, holder: Caller) -> PassedAnswer:
    try:
        return outgoing.send(PassedCall("GET", path, query=query), holder, account_id=None)
    except CallFailed as failure:
        raise faults.service_away(
            f"Which account this belongs to could not be read: {failure} Nothing was done."
        ) from failure


def _as_it_came(answer: PassedAnswer) -> Answer:
    headers = (("X-Receiver-Source", "graph"), ("Cache-Control", "no-store"))
    return Answer(answer.http_status, answer.body, headers)


def _json(answer: PassedAnswer) -> Any:
    try:
        return json.loads(answer.body) if answer.http_status == _OK else None
    except ValueError:
        return None


def _field(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
