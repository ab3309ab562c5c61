"""Graph errors as they stand on the wire. Codes, types and statuses: the facts, section 4."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from receiver.graph.serve import BadParameter, MissingParameter
from receiver.sandbox.calls.messages import Answer, json_bytes


@dataclass(eq=False)
class GraphFault(Exception):
    """A call that ends in a Graph error."""

    message: str
    code: int | None
    type: str = "OAuthException"
    subcode: int | None = None
    http_status: int = 400
    is_transient: bool | None = None
    blamed_field: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the error body: ``{"error": {"message", "type", "code", …, "fbtrace_id"}}``."""
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code is not None:
            error["code"] = self.code
        if self.blamed_field is not None:
            error["error_data"] = {"blame_field_specs": [[self.blamed_field]]}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient is not None:
            error["is_transient"] = self.is_transient
        return {"error": {**error, "fbtrace_id": secrets.token_urlsafe(8)}}

    def answer(self) -> Answer:
        return Answer(self.http_status, json_bytes(self.body()), self._headers())

    def _headers(self) -> tuple[tuple[str, str], ...]:
        if self.code != TOKEN_CODE:
            return ()
        text = "".join(c if c.isascii() and c.isprintable() else " " for c in self.message)
        return (("WWW-Authenticate", f'OAuth "Facebook Platform" "invalid_token" "{text}"'),)


TOKEN_CODE = 190


def bad_parameter(error: BadParameter) -> GraphFault:
    if isinstance(error, MissingParameter):
        return GraphFault(f"(#194) {error.message}", 194)
    return GraphFault(f"(#100) {error.message}", 100, blamed_field=error.name)


def no_capability() -> GraphFault:
    message = "(#10) Application does not have permission for this action"
    return GraphFault(message, 10, http_status=403)


def refused_change(reason: str) -> GraphFault:
    """Say that the state of an object does not allow a change."""
    return GraphFault(f"(#100) {reason}", 100)


def no_such_object(method: str, object_id: str) -> GraphFault:
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation. "
        "Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api"
    )
    return GraphFault(message, 100, type="GraphMethodException", subcode=33)


def unknown_path(path: str) -> GraphFault:
    return GraphFault(f"Unknown path components: {path}", 2500)


def no_token() -> GraphFault:
    message = "An active access token must be used to query information about the current user."
    return GraphFault(message, 2500)


def invalid_token() -> GraphFault:
    return GraphFault("Invalid OAuth access token - Cannot parse access token", TOKEN_CODE)


def expired_token() -> GraphFault:
    message = "Error validating access token: Session has expired. The session is no longer valid."
    return GraphFault(message, TOKEN_CODE, subcode=463)


def missing_proof() -> GraphFault:
    message = "API calls from the server require an appsecret_proof argument"
    return GraphFault(message, 100, type="GraphMethodException")


def wrong_proof() -> GraphFault:
    message = "Invalid appsecret_proof provided in the API argument"
    return GraphFault(message, 100, type="GraphMethodException")


def bad_batch(message: str) -> GraphFault:
    """Refuse a batch as a whole: an error without a code (the facts, section 11)."""
    return GraphFault(message, None, type="GraphBatchException")


def aborted_operation() -> GraphFault:
    message = (
        "Request aborted. This could happen if a dependent request failed or the entire request "
        "timed out."
    )
    return GraphFault(message, 960, type="FacebookApiException", http_status=500)


def too_much_data(*, subcode: int | None = None) -> GraphFault:
    """Say that an answer would be too large, or take too long (the facts, section 4)."""
    message = "Please reduce the amount of data you're asking for, then retry your request"
    return GraphFault(message, 1, subcode=subcode, http_status=500)


def unknown_error(http_status: int = 500) -> GraphFault:
    return GraphFault("An unknown error has occurred.", 1, http_status=http_status)
