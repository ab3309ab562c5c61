"""Read several sets at Facebook in one call: each operation of a batch costs points of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from receiver.graph import wire
from receiver.graph.answers import Opened, Success, Unchanged, read_operation
from receiver.graph.batch_call import SentOperation, UnreadableBatch, read_entries, write_batch
from receiver.graph.client import Answered, Credential, GraphClient
from receiver.graph.errors import NotModified
from receiver.graph.serve import OperationAnswer
from receiver.graph.wire import Call, RequestsPage, SetShown, WrongShape

BATCH_MOST = 50
"""The most operations of a batch (Facebook's page)."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class SetAsk:
    """A set to look at: with a first page of its requests, or only if it changed since an ETag."""

    set_id: int
    requests_limit: int | None = None
    etag: str | None = None


def look(
    client: GraphClient, credential: Credential, asks: Sequence[SetAsk]
) -> Answered[list[Opened[SetShown]]]:
    """Read some sets: one by a call of its own, several, BATCH_MOST at the most, by a batch.

    What goes wrong with one of several stands in its place. Raises CallFailed where all failed.
    """
    calls = [
        (
            wire.read_set(ask.set_id, requests_limit=ask.requests_limit),
            _NO_HEADERS if ask.etag is None else {"If-None-Match": ask.etag},
        )
        for ask in asks
    ]
    readers = [partial(wire.read_set_shown, expected_id=ask.set_id) for ask in asks]
    return _read(client, credential, calls, readers)


@dataclass(frozen=True)
class PageAsk:
    """A page of a set's requests, ``limit`` at the most: the first, or the one behind a cursor."""

    set_id: int
    limit: int
    after: str | None = None


def request_pages(
    client: GraphClient, credential: Credential, asks: Sequence[PageAsk]
) -> Answered[list[Opened[RequestsPage]]]:
    """Read a page of the requests of some sets; see look."""
    calls = [
        (wire.read_requests(ask.set_id, after=ask.after, limit=ask.limit), _NO_HEADERS)
        for ask in asks
    ]
    return _read(client, credential, calls, [wire.read_requests_page] * len(calls))


def _read(
    client: GraphClient,
    credential: Credential,
    calls: Sequence[tuple[Call, Mapping[str, str]]],
    readers: Sequence[Callable[[Any], _Value]],
) -> Answered[list[Opened[_Value]]]:
    if len(calls) == 1:
        return _read_one(client, credential, calls[0], readers[0])
    answered = client.read(credential, _batch(calls), partial(_read_entries, count=len(calls)))
    seen = [
        read_operation(entry, reader) for entry, reader in zip(answered.value, readers, strict=True)
    ]
    return Answered(seen, answered.usage, calls=answered.calls, date=answered.date)


def _read_one(
    client: GraphClient,
    credential: Credential,
    call: tuple[Call, Mapping[str, str]],
    reader: Callable[[Any], _Value],
) -> Answered[list[Opened[_Value]]]:
    request, headers = call
    try:
        answered = client.read(credential, request, reader, headers=headers)
    except NotModified as unchanged:
        return Answered([Unchanged()], unchanged.usage, calls=unchanged.calls)
    one: Opened[_Value] = Success(answered.value, etag=answered.etag)
    return Answered([one], answered.usage, calls=answered.calls, date=answered.date)


def _batch(calls: Sequence[tuple[Call, Mapping[str, str]]]) -> Call:
    operations = [
        SentOperation("GET", call.path, query=tuple(call.parameters.items()), headers=headers)
        for call, headers in calls
    ]
    parameters = {"batch": write_batch(operations), "include_headers": "true"}
    return Call("POST", "", parameters, is_read=True)


def _read_entries(value: Any, *, count: int) -> list[OperationAnswer | None]:
    try:
        return read_entries(value, count=count)
    except UnreadableBatch as error:
        raise WrongShape(str(error)) from None
