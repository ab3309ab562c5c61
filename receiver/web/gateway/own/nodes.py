"""Our own sets and requests, found by their ids and shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from receiver.graph import serve
from receiver.store import reports
from receiver.store.keys import Caller
from receiver.store.models import Request, RequestSet
from receiver.web.context import parts
from receiver.web.gateway.answer import Answer, Headers, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import freshness
from receiver.web.gateway.own.show import (
    Json,
    check_request_fields,
    check_set_fields,
    edge_call,
    expands_requests,
    requests_page,
    show_request,
    show_set,
)
from receiver.web.gateway.paths import object_number


@dataclass(frozen=True)
class OwnObject:
    """A set of ours, or one of its requests."""

    request_set: RequestSet
    request: Request | None = None


def find(holder: Caller, node: str) -> OwnObject | None:
    """Return the set or request of ours that an id names, if its key may see it."""
    return _find_all(holder, [node]).get(node)


def find_any(holder: Caller, nodes: Collection[str]) -> bool:
    """Tell whether one of several ids names a set or a request of ours."""
    return bool(_find_all(holder, nodes))


def _find_all(holder: Caller, nodes: Collection[str]) -> dict[str, OwnObject]:
    numbers = {number: node for node in nodes if (number := object_number(node)) is not None}
    if not numbers:
        return {}
    with parts().database.reading() as session:
        sets = reports.find_sets(session, holder.account_ids, facebook_ids=numbers)
        rest = [number for number in numbers if number not in sets]
        requests = reports.find_requests(session, holder.account_ids, ids=rest) if rest else {}
    return {
        **{numbers[number]: OwnObject(row) for number, row in sets.items()},
        **{numbers[number]: OwnObject(row, one) for number, (one, row) in requests.items()},
    }


def read(call: GraphCall, holder: Caller, found: OwnObject) -> Answer:
    """Answer ``GET /<id>`` of a set or a request. Raises BadParameter."""
    fields = serve.parse_expansion(call.parameters.get("fields"))
    if found.request is None:
        check_set_fields(fields)
        found = _fresh(holder, found, with_requests=expands_requests(fields))
        body = show_set(call, found.request_set, fields)
    else:
        check_request_fields(fields)
        found = _fresh(holder, found, with_requests=True)
        body = _show_request(call, found)
    return json_answer(body, call, source="store", headers=headers_of(found.request_set))


def read_requests(call: GraphCall, holder: Caller, found: OwnObject) -> Answer:
    """Answer ``GET /<set>/requests``. Raises BadParameter."""
    asked = edge_call(call)
    check_request_fields(asked.fields)
    row = _fresh(holder, found, with_requests=True).request_set
    with parts().database.reading() as session:
        delivery = reports.deliveries_of(session, [row.id]).get(row.id)
    body = requests_page(call, row, delivery, asked)
    return json_answer(body, call, source="store", headers=headers_of(row))


def show_many(
    call: GraphCall, holder: Caller, nodes: Collection[str], *, edge: str | None
) -> dict[str, Json]:
    """Show those of several objects that are ours, or the ``requests`` of those that are sets.

    Raises BadParameter.
    """
    found = _find_all(holder, nodes)
    fields = serve.parse_expansion(call.parameters.get("fields"))
    with_requests = edge is not None or expands_requests(fields)
    shown = {}
    for node in nodes:
        each = found.get(node)
        if each is None:
            continue
        fresh = _fresh(holder, each, with_requests=with_requests or each.request is not None)
        shown[node] = _show(call, fresh, edge=edge)
    return shown


def _show(call: GraphCall, found: OwnObject, *, edge: str | None) -> Json:
    fields = serve.parse_expansion(call.parameters.get("fields"))
    row = found.request_set
    if edge is not None and found.request is None:
        check_request_fields(fields)
        asked = edge_call(call, segments=(str(row.facebook_id), edge))
        with parts().database.reading() as session:
            delivery = reports.deliveries_of(session, [row.id]).get(row.id)
        return requests_page(call, row, delivery, asked)
    if found.request is None:
        check_set_fields(fields)
        return show_set(call, row, fields)
    check_request_fields(fields)
    return _show_request(call, found)


def _show_request(call: GraphCall, found: OwnObject) -> Json:
    if found.request is None:
        raise ValueError("This is a set.")
    row = found.request_set
    with parts().database.reading() as session:
        delivery = reports.deliveries_of(session, [row.id]).get(row.id)
    fields = serve.parse_expansion(call.parameters.get("fields"))
    return show_request(call, found.request, row, delivery, fields)


def _fresh(holder: Caller, found: OwnObject, *, with_requests: bool) -> OwnObject:
    """Return the same object as it is after a look, where one was due."""
    if not freshness.freshen_set(found.request_set, holder, with_requests=with_requests):
        return found
    own = found.request_set.facebook_id if found.request is None else found.request.id
    return find(holder, str(own)) or found


def headers_of(row: RequestSet) -> Headers:
    """Which intent it is, and how old what we know of it is."""
    headers: Headers = (("X-Receiver-Set", str(row.id)),)
    known_at = row.looked_at or row.opened_at
    if known_at is None:
        return headers
    age_seconds = (parts().now() - known_at).total_seconds()
    return (*headers, ("Age", str(max(0, int(age_seconds)))))
