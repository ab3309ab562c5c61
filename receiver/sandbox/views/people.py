"""Whose token it is: the user behind it, their accounts, and what a token is good for."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.graph.serve import BadParameter
from receiver.sandbox.calls import access
from receiver.sandbox.calls.access import AccessToken
from receiver.sandbox.calls.errors import GraphFault
from receiver.sandbox.views import accounts, nodes
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.made_up import made_up_number

_FIRST_NAMES = ("Ada", "Blaise", "Carl", "Emmy", "Grace", "Katherine", "Leonhard", "Sofya")
_LAST_NAMES = ("Euler", "Gauss", "Hopper", "Johnson", "Kovalevskaya", "Lovelace", "Noether")
_FIRST_ID = 10_000_000_000


@dataclass(frozen=True)
class User:
    """The user of a token, made up from it."""

    id: str
    first_name: str
    last_name: str


def user_of(context: Context) -> User:
    """Return who calls: the same token has the same user in every sandbox."""
    token = _token(context, context.call.token)
    number = made_up_number(f"user {token.token}", below=_FIRST_ID)
    first_name = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    return User(token.user_id, first_name, _LAST_NAMES[number % len(_LAST_NAMES)])


def _token(context: Context, token: str) -> AccessToken:
    """Return what is known of a token; of one that was not made here, what its text says."""
    made = context.world.tokens.get(token)
    if made is not None:
        return made
    number = made_up_number(f"user {token}", below=_FIRST_ID)
    return AccessToken.model_construct(token=token, user_id=str(_FIRST_ID + number))


def _record(_context: Context, user: User) -> Json:
    return {
        "id": user.id,
        "name": f"{user.first_name} {user.last_name}",
        "first_name": user.first_name,
        "last_name": user.last_name,
        "short_name": user.first_name,
    }


def _list_accounts(context: Context, _user: User, edge_call: EdgeCall) -> Json:
    """``GET /me/adaccounts``: every account that was used, in the order of their first use."""
    token = _token(context, context.call.token)
    return context.page(
        edge_call,
        context.world.accounts,
        kind=accounts.KIND,
        keep=lambda account: token.allows(account.id),
    )


KIND: Kind = Kind(nodes.USER, _record, edges={"adaccounts": _list_accounts})


def debug_token(context: Context) -> Json:
    """``GET /debug_token?input_token=``: ``{"data": {…}}`` (the facts, section 7)."""
    token = context.parameters.get("input_token")
    if not isinstance(token, str) or not token:
        raise BadParameter("input_token", "The parameter input_token is required")
    world = context.world
    try:
        access.check_token(token, tokens=world.tokens, is_strict=world.is_strict)
    except GraphFault as fault:
        return {"data": {"error": _shown(fault), "is_valid": False, "scopes": []}}
    return {"data": _describe(_token(context, token))}


def _shown(fault: GraphFault) -> Json:
    subcode = {} if fault.subcode is None else {"subcode": fault.subcode}
    return {"code": fault.code, "message": fault.message, **subcode}


def _describe(token: AccessToken) -> Json:
    """Describe a valid token, which never expires. ``APPID|SECRET`` is an app's own."""
    app_id, _, secret = token.token.partition("|")
    if secret:
        return {"app_id": app_id, "type": "APP", **_VALID, "scopes": []}
    target_ids = {} if token.accounts is None else {"target_ids": sorted(token.accounts)}
    return {
        "app_id": token.app_id,
        "type": "USER",
        **_VALID,
        "user_id": token.user_id,
        "issued_at": 0,
        "expires_at": 0,
        "data_access_expires_at": 0,
        "scopes": list(token.scopes),
        "granular_scopes": [{"scope": scope, **target_ids} for scope in token.scopes],
    }


_VALID = {"application": "Sandbox", "is_valid": True}
