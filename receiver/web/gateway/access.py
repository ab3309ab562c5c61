"""Who makes a Graph call, and what its key allows."""

from __future__ import annotations

from receiver.store.keys import Caller
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import PERMISSION, TOKEN, Fault
from receiver.web.keys import holder_of


def holder(call: GraphCall) -> Caller:
    """Return who holds the call's key. Raises Fault (190, or 200 for a write) and DatabaseAway."""
    if not call.key:
        raise Fault(TOKEN, "An access token is required: send a key of the receiver.")
    found = holder_of(call.key)
    if found is None:
        raise Fault(TOKEN, "Invalid OAuth access token: this is no key of the receiver.")
    if found.is_read_only and call.method != "GET" and not call.is_batch:
        raise Fault(PERMISSION, "This key may only read.", http_status=403)
    return found


def require_account(holder: Caller, account_id: int) -> None:
    """Raise Fault (200) for an account that the key may not use."""
    if account_id not in holder.account_ids:
        raise Fault(
            PERMISSION,
            f"This key may not use the ad account act_{account_id}.",
            http_status=403,
        )
