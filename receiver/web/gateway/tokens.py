"""What would mint or show a token of Facebook's is refused: callers hold keys instead (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from receiver.graph import serve
from receiver.graph.serve import BadParameter, Field
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import PERMISSION, Fault

_PATHS = frozenset(
    {
        "oauth",
        "debug_token",
        "access_token",
        "access_tokens",
        "accesstokens",
        "device",
        "system_user_access_tokens",
        "app_link_hosts_token",
    }
)
_BATCHES = ("batch", "asyncbatch")
"""Operations that nobody would have looked at."""

_FIELDS = frozenset(
    {
        "access_token",
        "page_token",
        "page_access_token",
        "client_secret",
        "app_secret",
        "secret",
        "secret_key",
        "client_token",
    }
)
_PARAMETERS = frozenset(
    {"grant_type", "fb_exchange_token", "input_token", "set_token_expires_in_60_days"}
)
_ELSEWHERE = frozenset(
    {
        "accounts",
        "adaccounts",
        "assigned_ad_accounts",
        "business",
        "businesses",
        "client_ad_accounts",
        "owned_ad_accounts",
        "owned_businesses",
        "owner_business",
    }
)
"""What leads from one account to others when it is expanded."""


def refuse_tokens(call: GraphCall) -> None:
    """Raise Fault (200) for a path, a field or a parameter that mints or shows tokens.

    Also for fields that expand into other accounts than the one that is addressed.
    """
    if any(segment.lower() in _PATHS for segment in call.segments):
        raise _refused(f"/{'/'.join(call.segments)}")
    for name in call.parameters:
        if name in _PARAMETERS:
            raise _refused(name)
        if name in _BATCHES and not call.is_batch:
            raise Fault(
                PERMISSION, f"{name} is not passed on from here: send a POST with batch to /.", 403
            )
    for field in _all_fields(_fields(call)):
        if field.name.lower() in _FIELDS:
            raise _refused(field.name)
        if field.name in _ELSEWHERE and field.fields:
            raise Fault(
                PERMISSION,
                f"A key's fields may not be expanded into other accounts ({field.name}).",
                http_status=403,
            )


def _fields(call: GraphCall) -> Sequence[Field]:
    """The fields asked for; what is no field expansion is searched for the words themselves."""
    value = call.parameters.get("fields")
    try:
        decoded = serve.decode_json({"fields": value}, "fields", lenient=True)
    except BadParameter:
        decoded = value
    try:
        return serve.parse_expansion(decoded if isinstance(decoded, list) else value)
    except BadParameter:
        words = str(value).replace("{", ",").replace("}", ",").split(",")
        return [Field(word.strip(" \"'[]")) for word in words]


def _all_fields(fields: Iterable[Field]) -> Iterable[Field]:
    for field in fields:
        yield field
        yield from _all_fields(field.fields)


def _refused(what: str) -> Fault:
    return Fault(
        PERMISSION,
        f"The receiver neither makes nor shows tokens of Facebook's: {what} is not passed on.",
        http_status=403,
    )
