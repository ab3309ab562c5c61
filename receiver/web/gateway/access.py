"""Who makes a Graph call, and what its key allows.

A key names ad accounts. An object may be used when SQL knows that it belongs to one of them, or one
read of it says so, which is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from receiver.graph import serve
from receiver.store import objects
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.gateway import learning
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import PARAMETER, PERMISSION, QUERY, TOKEN, Fault, NotShown
from receiver.web.gateway.learning import Owner
from receiver.web.gateway.paths import account_number, object_number
from receiver.web.keys import holder_of

_WITHOUT_ACCOUNT = (("me",), ("search",))
"""The paths that address no object; any other word is the name of one."""


def holder(call: GraphCall) -> Caller:
    """Return who holds the call's key. Raises Fault (190, or 200 for a write) and DatabaseAway."""
    if not call.key:
        raise Fault(QUERY, "An access token is required: send a key of the receiver.")
    found = holder_of(call.key)
    if found is None:
        raise Fault(TOKEN, "Invalid OAuth access token: this is no key of the receiver.")
    return may(found, call)


def may(holder: Caller, call: GraphCall) -> Caller:
    """Return the holder again, if its key may change what a call changes. Raises Fault (200).

    Also for what Facebook could read otherwise than we do: another method than the call's own,
    which only a POST may name, and a path that leads back up.
    """
    named = str(call.parameters.get("method") or call.sent_method).upper()
    if call.sent_method not in ("POST", named):
        raise Fault(PARAMETER, "Only a POST may name another method.")
    if any(segment in (".", "..") for segment in call.path.split("/")):
        raise Fault(QUERY, "A path may not lead back up.")
    if holder.is_read_only and call.method != "GET" and not call.is_batch:
        raise _denied("This key may only read.")
    return holder


def require_account(holder: Caller, account_id: int) -> None:
    """Raise Fault (200) for an account that the key may not use."""
    if account_id not in holder.account_ids:
        raise _denied(f"This key may not use the ad account act_{account_id}.")


def allow(call: GraphCall, holder: Caller) -> int | None:
    """Return the account that a call addresses; None for a read that addresses none.

    Raises Fault (200) for what the key may not use, and Refused where Facebook refuses
    to show what is addressed.
    """
    return allow_all([call], holder)[0]


def allow_all(calls: Sequence[GraphCall], holder: Caller) -> list[int | None]:
    """Return the account of each of several calls, learning what is not known in few reads.

    Raises Fault (200) and Refused for the first that is not allowed.
    """
    nodes = {node for call in calls for node in nodes_of(call)}
    accounts = known_accounts(nodes, holder)
    return [check(call, holder, accounts) for call in calls]


def known_accounts(nodes: Collection[str], holder: Caller) -> dict[str, Owner]:
    """Return the account of each object that calls address, or why it is not known."""
    numbers = {number: node for node in nodes if (number := object_number(node)) is not None}
    found: dict[str, Owner] = {}
    if numbers:
        with parts().database.reading() as session:
            known = objects.accounts_of(session, numbers)
        found = {numbers[number]: account_id for number, account_id in known.items()}
        missing = [node for node in numbers.values() if node not in found]
        if missing:
            found |= learning.learn_accounts(missing, holder)
    return found


def check(call: GraphCall, holder: Caller, accounts: dict[str, Owner]) -> int | None:
    """Return the account of a call whose objects' accounts were found out. Raises Fault."""
    nodes = nodes_of(call)
    # Of several, one that does not exist fails all, and Facebook says so better.
    owners = [
        _owner(node, accounts)
        for node in nodes
        if not (call.ids and isinstance(accounts.get(node), NotShown))
    ]
    for account_id in owners:
        require_account(holder, account_id)
    if not nodes:
        _check_without_account(call)
    return owners[0] if owners else None


def _owner(node: str, accounts: dict[str, Owner]) -> int:
    number = account_number(node)
    if number is None and ":" in node:
        number = object_number(node.partition(":")[0])
    if number is not None:
        return number
    owner = accounts.get(node)
    if isinstance(owner, int):
        return owner
    raise owner if owner is not None else _denied(f"This key may not use the object {node}.")


def nodes_of(call: GraphCall) -> tuple[str, ...]:
    """Return the objects that a call addresses: what its path begins with, ``id`` and ``ids``.

    Where several of them stand, Facebook takes one: the key must be allowed each.
    """
    first = call.segments[:1]
    nodes = [each for each in first if each[:1].isdigit() or each.startswith("act_")]
    if call.method in ("GET", "DELETE"):
        named = str(call.parameters.get("id") or "")
        nodes += [named] if named else []
        nodes += serve.parse_ids(call.parameters.get("ids"))
    return tuple(dict.fromkeys(nodes))


def _check_without_account(call: GraphCall) -> None:
    """Let through what reads and belongs to no account: ``me``, its accounts, searches.

    Raises Fault (200).
    """
    if call.method != "GET":
        raise _denied("This key may only change what belongs to its ad accounts.")
    if call.segments[:1] not in _WITHOUT_ACCOUNT:
        raise _denied(f"This key may not use /{'/'.join(call.segments)}.")
    if call.segments[:1] == ("me",) and call.segments[1:] not in ((), ("adaccounts",)):
        raise _denied("Of this user, a key may read the user itself and its ad accounts.")


def _denied(message: str) -> Fault:
    return Fault(PERMISSION, message, http_status=403)
