"""Judge an answer: what was asked for, or which failure. Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from receiver.graph.errors import CallFailed, GraphError, UnansweredOperation, UnreadableAnswer
from receiver.graph.json_values import parse_json, read_flag, read_integer, read_text
from receiver.graph.serve import OperationAnswer
from receiver.graph.wire import WrongShape

_FIRST_BYTES = 200
_TRACE_CHARACTERS = 100

_Reading = TypeVar("_Reading")


def read_answer(http_status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """Return an answer's JSON value.

    The body judges as well as the status: a 200 may hold an error, a 502 may be HTML.
    Raises GraphError, UnreadableAnswer.
    """
    try:
        return _read_answer(http_status, headers, body)
    except CallFailed as failure:
        failure.fbtrace_id = failure.fbtrace_id or trace_id(headers)
        raise


def trace_id(headers: Mapping[str, str]) -> str | None:
    """Return Facebook's own name for a call, which its support asks for."""
    lower = {name.lower(): value for name, value in headers.items()}
    text = read_text(lower.get("x-fb-trace-id"))
    return None if text is None else text[:_TRACE_CHARACTERS]


def _read_answer(http_status: int, headers: Mapping[str, str], body: bytes) -> Any:
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= http_status < HTTPStatus.BAD_REQUEST
    if is_redirect:
        raise _unreadable("A redirect is not followed", http_status, body)
    try:
        value = parse_json(body)
    except ValueError:
        raise _unreadable("The answer is no JSON", http_status, body) from None
    error = value.get("error") if isinstance(value, dict) else None
    if error is not None:
        raise _graph_error(error, http_status, headers, body)
    if http_status >= HTTPStatus.BAD_REQUEST:
        raise _unreadable("The answer fails without an error", http_status, body)
    if isinstance(value, dict) and value.get("success") is False:
        message = "Graph answered that it had no success."
        raise GraphError(message, http_status=http_status, body=body)
    return value


def read_as(
    reader: Callable[[Any], _Reading], *, http_status: int, headers: Mapping[str, str], body: bytes
) -> _Reading:
    """Return what ``reader`` makes of an answer. Raises GraphError, UnreadableAnswer."""
    value = read_answer(http_status, headers, body)
    try:
        return reader(value)
    except WrongShape as error:
        failure = _unreadable(str(error), http_status, body)
        failure.fbtrace_id = trace_id(headers)
        raise failure from None


@dataclass(frozen=True)
class Unchanged:
    """A 304: nothing is new since the ETag that was named."""


@dataclass(frozen=True)
class Success(Generic[_Reading]):
    """What an operation of a batch showed; ``etag`` names its answer."""

    value: _Reading
    etag: str | None


Opened = Success[_Reading] | Unchanged | CallFailed
"""What became of one operation that reads, among several."""


def read_operation(
    entry: OperationAnswer | None, reader: Callable[[Any], _Reading]
) -> Opened[_Reading]:
    """Judge an operation's entry in the answer to a batch."""
    if entry is None:
        return UnansweredOperation("Facebook did not answer this operation of a batch.")
    if entry.code == HTTPStatus.NOT_MODIFIED:
        return Unchanged()
    headers = dict(entry.headers)
    body = (entry.body or "").encode("utf-8", "replace")
    try:
        value = read_as(reader, http_status=entry.code, headers=headers, body=body)
    except CallFailed as failure:
        return failure
    lower = {name.lower(): text for name, text in headers.items()}
    return Success(value, etag=lower.get("etag"))


def _unreadable(reason: str, http_status: int, body: bytes) -> UnreadableAnswer:
    return UnreadableAnswer(reason, http_status=http_status, first_bytes=body[:_FIRST_BYTES])


def _graph_error(
    error: object, http_status: int, headers: Mapping[str, str], body: bytes
) -> GraphError:
    details = error if isinstance(error, dict) else {"message": error}
    lower = {name.lower(): value for name, value in headers.items()}
    return GraphError(
        read_text(details.get("message")) or "Graph gave no message.",
        http_status=http_status,
        type=read_text(details.get("type")),
        code=read_integer(details.get("code")),
        subcode=read_integer(details.get("error_subcode")),
        is_transient=read_flag(details.get("is_transient")),
        fbtrace_id=read_text(details.get("fbtrace_id")),
        user_title=read_text(details.get("error_user_title")),
        user_message=read_text(details.get("error_user_msg")),
        www_authenticate=lower.get("www-authenticate"),
        body=body,
    )
