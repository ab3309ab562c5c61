"""What the gateway refuses, as Graph errors.

The body's shape and the codes are Graph's (the facts, section 4): 100 for a parameter, 190 for a
token, 200 for a permission, 2 for a service that is away. One code is ours: 409, a create whose
outcome is not known. No client in use repeats it, which is the point.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from receiver.graph.errors import GraphError
from receiver.web.gateway.answer import Answer, Headers

UNKNOWN = 1
PARAMETER = 100
SERVICE = 2
MISSING = 194
PERMISSION = 200
TOKEN = 190
QUERY = 2500
OUTCOME_UNKNOWN = 409

_NO_SUCH_OBJECT = 33
_ACCOUNT_LIMIT = 17
_ACCOUNT_LIMIT_SUBCODE = 2446079


@dataclass
class Fault(Exception):
    """A refusal: the Graph error to answer with."""

    code: int | None
    message: str
    http_status: int = 400
    type: str = "OAuthException"
    subcode: int | None = None
    is_transient: bool = False
    blamed_field: str | None = None
    headers: Headers = field(default=())

    def __str__(self) -> str:
        return self.message if self.code is None else f"(#{self.code}) {self.message}"


class Refused(Exception):
    """A refusal that was worded already, by Facebook or for it: the answer as it is to be given."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


class NotShown(Refused):
    """Facebook says that there is no such object, or that our token may not see it."""


def bad_parameter(message: str, *, blamed_field: str | None = None) -> Fault:
    """The caller's parameter is wrong; the message names it."""
    return Fault(PARAMETER, message, blamed_field=blamed_field)


def no_such_object(node: str) -> Fault:
    """There is no such object, or the caller may not know that there is."""
    return Fault(
        PARAMETER,
        f"Unsupported request. Object with ID '{node}' does not exist here, cannot be loaded due "
        "to missing permissions, or does not support this operation.",
        type="GraphMethodException",
        subcode=_NO_SUCH_OBJECT,
    )


def service_away(message: str) -> Fault:
    """Nothing was done, and the call may be repeated."""
    return Fault(SERVICE, message, http_status=503, is_transient=True)


def outcome_unknown(reason: str) -> Fault:
    """A change was sent and what became of it is not known: no client is to send it again."""
    return Fault(
        OUTCOME_UNKNOWN,
        f"Facebook was asked for this change and what became of it is not known ({reason}). Do not "
        "send it again before you have read what is there.",
        http_status=409,
    )


def limit_reached(headers: Headers) -> Fault:
    """The account's limit is used up: what Facebook would say, without asking it."""
    return Fault(
        _ACCOUNT_LIMIT,
        "User request limit reached",
        subcode=_ACCOUNT_LIMIT_SUBCODE,
        is_transient=True,
        headers=headers,
    )


def too_busy() -> Fault:
    """As many calls wait for Facebook as may: nothing was written or sent."""
    return service_away("Too many calls wait for Facebook: nothing was sent, try again.")


def as_it_came(refusal: GraphError) -> Answer:
    """Facebook's refusal, as it came."""
    headers: Headers = (("X-Receiver-Source", "graph"), ("Cache-Control", "no-store"))
    if refusal.www_authenticate is not None:
        headers = (*headers, ("WWW-Authenticate", refusal.www_authenticate))
    headers = (*headers, *refusal.usage.headers)
    return Answer(refusal.http_status, refusal.body, headers)


def answer(fault: Fault) -> Answer:
    """Word a fault as Graph does."""
    error: dict[str, object] = {
        "message": str(fault),
        "type": fault.type,
        **({} if fault.code is None else {"code": fault.code}),
        "is_transient": fault.is_transient,
        "fbtrace_id": secrets.token_urlsafe(8),
    }
    if fault.subcode is not None:
        error["error_subcode"] = fault.subcode
    if fault.blamed_field is not None:
        error["error_data"] = {"blame_field_specs": [[fault.blamed_field]]}
    headers: Headers = (("Cache-Control", "no-store"), *fault.headers)
    if fault.code == TOKEN:
        reason = f'OAuth "Facebook Platform" "invalid_token" "{fault.message}"'
        headers = (*headers, ("WWW-Authenticate", reason))
    return Answer(fault.http_status, json.dumps({"error": error}).encode("ascii"), headers)
