"""Who makes a Graph call, and what its key allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.store.accounts import Caller
from receiver.web.gateway.faults import PERMISSION, TOKEN, Fault
from receiver.web.keys import authorization_key, holder_of


def caller(parameters: Mapping[str, Any]) -> Caller:
    """Return who holds the call's key. Raises Fault (190) and DatabaseAway.

    SDKs send the token in the query, in the body, or as ``Authorization: Bearer`` or ``OAuth``.
    """
    key = parameters.get("access_token") or authorization_key()
    if not isinstance(key, str) or not key:
        raise Fault(TOKEN, "An access token is required: send a key of the receiver.")
    found = holder_of(key)
    if found is None:
        raise Fault(TOKEN, "Invalid OAuth access token: this is no key of the receiver.")
    return found


def require_account(holder: Caller, account_id: int) -> None:
    """Raise Fault (200) for an account that the key may not use."""
    if account_id not in holder.account_ids:
        raise Fault(
            PERMISSION,
            f"This key may not use the ad account act_{account_id}.",
            http_status=403,
        )
