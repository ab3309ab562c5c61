"""The caller's half of the Graph protocol, without I/O: build a call, read what it asked for.

Texts are cleaned on their way, so that any database can store them; ``result`` and ``input`` stay
JSON. Statuses stay as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qs, urlsplit

from receiver.graph.json_values import (
    children,
    json_bytes,
    parse_json,
    read_count,
    read_flag,
    read_id,
    read_integer,
    read_text,
)
from receiver.graph.vocabulary import (
    AD_SETS_EDGE,
    BATCHES_EDGE,
    CREATIVES_EDGE,
    MODE_ON_COMPLETE,
    REQUEST_SET,
    SCOPE_EDGE,
    is_final,
)

SET_FIELDS = REQUEST_SET.fields
REQUEST_FIELDS = (
    "id",
    "scope_object_id",
    "status",
    "type",
    "result",
    "input",
    "created_time",
    "updated_time",
)
"""What is asked of a request: everything but ``async_request_set``, which the call itself names."""

EVIDENCE_FIELDS = (
    "id",
    "name",
    "notification_uri",
    "notification_mode",
    "created_time",
    "total_count",
)
"""What tells whose a set is, and when it was made."""

SCOPE_FIELDS = (*REQUEST_FIELDS, "async_request_set")
"""What is asked of a request on an edge that shows those of several sets."""

_MAX_DEPTH = 500
"""Far deeper than anything means something, and what every reader of JSON can still take."""
_TOO_DEEP = b'"(nested too deeply to be kept)"'


@dataclass(frozen=True)
class Call:
    """A call to build a request from: ``path`` comes after the version, without a slash."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    parameters: Mapping[str, str] = field(repr=False)
    is_read: bool = False
    """Whether a POST only reads, as a batch of reads does: it may be repeated."""

    @property
    def has_limit(self) -> bool:
        """Whether it asks for no more than so much, and could ask for less."""
        return "limit" in self.parameters or ".limit(" in self.parameters.get("fields", "")


_SPECS = {
    AD_SETS_EDGE: "ad_specs",
    CREATIVES_EDGE: "creative_spec",
    BATCHES_EDGE: "adbatch",
}
"""What each edge calls that which is to be made."""


def create_set(account_id: int, *, edge: str, name: str, specs: str, notification_uri: str) -> Call:
    """Create a request set on an edge; ``specs`` is what is to be made, as one JSON text.

    ``async_batch_requests`` takes no URI: it is told by an update (the facts, section 2).
    """
    parameters = {"name": name, _SPECS[edge]: specs}
    if edge != BATCHES_EDGE:
        parameters |= _notify(notification_uri)
    return Call("POST", f"act_{account_id}/{edge}", parameters)


def rename_set(set_id: int, *, name: str) -> Call:
    return Call("POST", str(set_id), {"name": name})


def tell_uri(set_id: int, *, notification_uri: str) -> Call:
    """Say where a set is to be notified, before it was."""
    return Call("POST", str(set_id), _notify(notification_uri))


def _notify(notification_uri: str) -> dict[str, str]:
    return {"notification_mode": MODE_ON_COMPLETE, "notification_uri": notification_uri}


def cancel(object_id: int) -> Call:
    """Cancel what is not processed yet of a set, or a request."""
    return Call("DELETE", str(object_id), {})


def read_set(set_id: int, *, requests_limit: int | None = None) -> Call:
    """Read a set with all its fields, and with that a first page of its requests by expansion."""
    fields = ",".join(SET_FIELDS)
    if requests_limit is not None:
        fields += f",requests.limit({requests_limit}){{{','.join(REQUEST_FIELDS)}}}"
    return Call("GET", str(set_id), {"fields": fields})


def read_complete_sets(account_id: int, *, edge: str, after: str | None, limit: int) -> Call:
    """Read an account's complete sets with all their fields."""
    call = _read_page(f"act_{account_id}/{edge}", SET_FIELDS, after=after, limit=limit)
    return Call(call.method, call.path, {**call.parameters, "is_completed": "true"})


def read_requests(set_id: int, *, after: str | None, limit: int) -> Call:
    return _read_page(f"{set_id}/requests", REQUEST_FIELDS, after=after, limit=limit)


def read_account_sets(account_id: int, *, edge: str, after: str | None, limit: int) -> Call:
    return _read_page(f"act_{account_id}/{edge}", SET_FIELDS, after=after, limit=limit)


def read_evidence(account_id: int, *, edge: str, after: str | None, limit: int) -> Call:
    """Read of an account's sets only what tells whose they are, and when they were made."""
    return _read_page(f"act_{account_id}/{edge}", EVIDENCE_FIELDS, after=after, limit=limit)


def read_scope_requests(object_id: int, *, after: str | None, limit: int) -> Call:
    """Read the requests for the ads of an ad set or a campaign."""
    path = f"{object_id}/{SCOPE_EDGE}"
    return _read_page(path, SCOPE_FIELDS, after=after, limit=limit)


def _read_page(path: str, fields: tuple[str, ...], *, after: str | None, limit: int) -> Call:
    parameters = {"fields": ",".join(fields), "limit": str(limit)}
    if after is not None:
        parameters["after"] = after
    return Call("GET", path, parameters)


def read_date(header: str | None) -> datetime | None:
    """Read the ``Date`` of an answer; None for one that is missing or cannot be understood."""
    try:
        moment = None if header is None else parsedate_to_datetime(header)
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time(text: str | None) -> datetime | None:
    """Read one of Facebook's times, as in ``created_time``; None where it cannot be understood."""
    try:
        moment = None if text is None else datetime.fromisoformat(text)
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_done(value: Any) -> None:
    """Read the answer to a change: ``{"success": true}`` today, ``true`` on the page.

    Raises WrongShape for any other.
    """
    if not read_flag(value.get("success") if isinstance(value, dict) else value):
        raise WrongShape("The answer does not say that it was done")


class WrongShape(ValueError):
    """JSON without what was asked for."""


@dataclass(frozen=True)
class SetReading:
    """A request set as an answer shows it. What it does not show, or shows unusably, is None.

    ``notification_result`` is JSON; times are Facebook's texts.
    """

    id: int
    owner_id: int | None
    name: str | None
    is_completed: bool
    total_count: int | None
    initial_count: int | None
    in_progress_count: int | None
    success_count: int | None
    error_count: int | None
    canceled_count: int | None
    notification_uri: str | None
    notification_mode: str | None
    notification_status: str | None
    notification_result_status: str | None
    notification_result: bytes | None
    created_time: str | None
    updated_time: str | None


class RequestReading(NamedTuple):
    """A request of a set as an answer shows it: a tuple, for they come by the thousand.

    ``result`` and ``input`` are JSON in ASCII, so that U+0000 and lone surrogates survive as
    escapes. The created object and the error are taken out of ``result``.
    """

    id: int
    scope_object_id: int | None
    status: str
    type: str | None
    result: bytes | None
    input: bytes | None
    created_object_id: int | None
    error_code: int | None
    error_message: str | None
    created_time: str | None
    updated_time: str | None


@dataclass(frozen=True)
class RequestsPage:
    """A page of requests: those without a usable id or status are only counted.

    ``after`` asks for the next page and is None on the last; even an empty page may have a next.
    """

    requests: list[RequestReading]
    unreadable: int
    after: str | None


@dataclass(frozen=True)
class SetsPage:
    """A page of an account's request sets; see RequestsPage."""

    sets: list[SetReading]
    unreadable: int
    after: str | None


@dataclass(frozen=True)
class NodeReading:
    """A set or a request of an edge as it came; ``is_final`` tells that it changes no more.

    ``record`` is JSON in ASCII.
    """

    id: int
    is_final: bool
    record: bytes


@dataclass(frozen=True)
class NodesPage:
    """A page of an edge's nodes; see RequestsPage."""

    nodes: list[NodeReading]
    unreadable: int
    after: str | None


def read_notified_ids(body: bytes, query: str) -> list[int]:
    """Return the ids that a notification's form, JSON or query shows: candidates, never a truth."""
    texts = [body.decode("utf-8", "replace"), query]
    named = [text for part in texts for text in parse_qs(part, max_num_fields=50).get("id", [])]
    try:
        value = parse_json(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        named.append(str(value.get("id")))
    ids = [read_id(text) for text in named]
    return list(dict.fromkeys(one for one in ids if one is not None))


def read_created_id(value: Any) -> int:
    """Read the id in the answer to a create. Raises WrongShape."""
    return _own_id(read_object(value))


def read_set_node(value: Any, *, expected_id: int | None = None) -> SetReading:
    """Read a request set, or only the one expected. Raises WrongShape."""
    node = read_object(value)
    if expected_id is not None and _own_id(node) != expected_id:
        raise WrongShape("The answer shows another set than was asked for")
    notification_result = node.get("notification_result")
    return SetReading(
        id=_own_id(node),
        owner_id=read_id(node.get("owner_id")),
        name=read_text(node.get("name")),
        is_completed=read_flag(node.get("is_completed")),
        total_count=read_count(node.get("total_count")),
        initial_count=read_count(node.get("initial_count")),
        in_progress_count=read_count(node.get("in_progress_count")),
        success_count=read_count(node.get("success_count")),
        error_count=read_count(node.get("error_count")),
        canceled_count=read_count(node.get("canceled_count")),
        notification_uri=read_text(node.get("notification_uri")),
        notification_mode=read_text(node.get("notification_mode")),
        notification_status=read_text(node.get("notification_status")),
        notification_result_status=_result_status(notification_result),
        notification_result=_json(notification_result),
        created_time=read_text(node.get("created_time")),
        updated_time=read_text(node.get("updated_time")),
    )


@dataclass(frozen=True)
class SetShown:
    """A set, and the first page of its requests where that was asked for and shown."""

    reading: SetReading
    requests: RequestsPage | None


def read_set_shown(value: Any, *, expected_id: int) -> SetShown:
    """Read a set that was asked for with its requests. Raises WrongShape."""
    reading = read_set_node(value, expected_id=expected_id)
    try:
        requests = read_requests_page(value.get("requests"))
    except WrongShape:
        # They are read in a call of their own.
        requests = None
    return SetShown(reading, requests)


def read_request_node(value: Any) -> RequestReading:
    """Read a request of a set. Raises WrongShape."""
    node = read_object(value)
    status = read_text(node.get("status"))
    if status is None:
        raise WrongShape("The answer shows no status")
    result = _first_object(node.get("result"))
    # They come by the thousand, and named arguments take their time.
    return RequestReading(
        _own_id(node),
        read_id(node.get("scope_object_id")),
        status,
        read_text(node.get("type")),
        _json(node.get("result")),
        _json(node.get("input")),
        read_id(result.get("id")),
        read_integer(result.get("error_code")),
        read_text(result.get("error_message")),
        read_text(node.get("created_time")),
        read_text(node.get("updated_time")),
    )


def read_requests_page(value: Any) -> RequestsPage:
    """Read a page of a set's requests. Raises WrongShape."""
    requests, unreadable = _read_each(value, read_request_node)
    return RequestsPage(requests, unreadable=unreadable, after=_next_cursor(value))


def read_sets_page(value: Any) -> SetsPage:
    """Read a page of an account's request sets. Raises WrongShape."""
    sets, unreadable = _read_each(value, read_set_node)
    return SetsPage(sets, unreadable=unreadable, after=_next_cursor(value))


def read_nodes_page(value: Any) -> NodesPage:
    """Read a page of sets or requests as they come. Raises WrongShape."""
    nodes, unreadable = _read_each(value, _read_node)
    return NodesPage(nodes, unreadable=unreadable, after=_next_cursor(value))


def _read_node(value: Any) -> NodeReading:
    node = read_object(value)
    final = is_final(read_text(node.get("status")) or "") or read_flag(node.get("is_completed"))
    record = _written(node)
    if record is None:
        raise WrongShape("The answer is nested too deeply to be kept")
    return NodeReading(_own_id(node), is_final=final, record=record)


_Reading = TypeVar("_Reading")


def _read_each(value: Any, reader: Callable[[Any], _Reading]) -> tuple[list[_Reading], int]:
    nodes = read_object(value).get("data")
    if not isinstance(nodes, list):
        raise WrongShape("The answer shows no list")
    readings: list[_Reading] = []
    for node in nodes:
        try:
            readings.append(reader(node))
        except WrongShape:
            continue
    return readings, len(nodes) - len(readings)


def _next_cursor(page: Mapping[str, Any]) -> str | None:
    """Return the cursor of the next page; only ``next`` tells that there is one."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = read_text(cursors.get("after")) if isinstance(cursors, dict) else None
    after = after or _cursor_in_link(paging["next"])
    if after is None:
        # Taken for the last page, it would prove the absence of what stands on the next.
        raise WrongShape("The answer shows a next page and no way to it")
    return after


def _cursor_in_link(link: object) -> str | None:
    try:
        query = urlsplit(str(link)).query
        return read_text(parse_qs(query).get("after", [None])[0])
    except ValueError:
        return None


def read_object(value: Any) -> dict[str, Any]:
    """Return a JSON object. Raises WrongShape for anything else."""
    if not isinstance(value, dict):
        raise WrongShape("The answer is no object")
    return value


def _own_id(node: Mapping[str, Any]) -> int:
    own_id = read_id(node.get("id"))
    if own_id is None:
        raise WrongShape("The answer shows no usable id")
    return own_id


def _json(value: Any) -> bytes | None:
    if value is None:
        return None
    written = _written(value)
    # The rest of the row counts: without it its whole set could never be collected.
    return _TOO_DEEP if written is None else written


def _written(value: Any) -> bytes | None:
    """Return JSON in ASCII; None for a value that is nested too deeply."""
    try:
        written = json_bytes(value)
    except ValueError:
        return None
    return None if _may_be_too_deep(written) and _is_too_deep(value) else written


def _may_be_too_deep(written: bytes) -> bool:
    """Tell it from the brackets, for next to nothing: what has fewer of them cannot be deeper."""
    is_long_enough = len(written) > 2 * _MAX_DEPTH
    return is_long_enough and written.count(b"[") + written.count(b"{") > _MAX_DEPTH


def _is_too_deep(value: Any) -> bool:
    """Tell it from the levels, not from a writer that fails: what is kept must be readable too."""
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        level = [child for item in level for child in children(item)]
        if not level:
            return False
    return True


def _first_object(value: Any) -> Mapping[str, Any]:
    """Return a result's object; Facebook's tables call it an array, its samples show an object."""
    if isinstance(value, dict):
        return value
    candidates = value if isinstance(value, list) else ()
    return next((candidate for candidate in candidates if isinstance(candidate, dict)), {})


def _result_status(value: Any) -> str | None:
    """Return how the receiver answered: the object's ``status``, or the text that came instead."""
    if isinstance(value, str):
        try:
            value = parse_json(value.encode("utf-8", "replace"))
        except ValueError:
            return read_text(value)
    return read_text(value.get("status") if isinstance(value, dict) else value)
