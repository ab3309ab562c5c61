"""Show a set or a request: the fields asked for, with what they expand into.

Of a set its ``requests`` can be expanded, of a request its ``async_request_set``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import Field
from receiver.graph.vocabulary import REQUEST, REQUEST_SET, Node
from receiver.store import reports
from receiver.store.models import Delivery, Request, RequestSet
from receiver.web.context import parts
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own.records import request_record, set_record

Json = dict[str, Any]


@dataclass(frozen=True)
class EdgeCall:
    """A reading of an edge, whether it was called itself or expanded inside of a node.

    ``address`` is the edge's URL without a query; ``links`` are what the links of its pages repeat.
    """

    parameters: Mapping[str, Any]
    fields: tuple[Field, ...]
    address: str
    links: Mapping[str, str]


def edge_call(call: GraphCall, *, segments: Sequence[str] | None = None) -> EdgeCall:
    """The reading of an edge that a call itself asks for."""
    fields = serve.parse_expansion(call.parameters.get("fields"))
    address = call.address_of(*(call.segments if segments is None else segments))
    return EdgeCall(call.parameters, fields, address=address, links=call.link_parameters())


def check_set_fields(fields: Sequence[Field], *, node: Node = REQUEST_SET) -> None:
    """Raise BadParameter for a field or an edge that a set does not have."""
    for each in fields:
        if each.name == "requests":
            check_request_fields(each.fields)
        elif each.name not in node.fields or each.parameters:
            raise serve.unknown_field(each.name, node=node)


def check_request_fields(fields: Sequence[Field]) -> None:
    """Raise BadParameter for a field that a request does not have."""
    for each in fields:
        if each.name not in REQUEST.fields or each.parameters:
            raise serve.unknown_field(each.name, node=REQUEST)
        if each.name == "async_request_set":
            check_set_fields(each.fields)


def expands_requests(fields: Sequence[Field]) -> bool:
    """Tell whether an answer shows the requests of sets."""
    return any(each.name == "requests" for each in fields)


def show_set(call: GraphCall, row: RequestSet, fields: Sequence[Field]) -> Json:
    """Show a set of ours with the fields asked for, or its defaults."""
    with parts().database.reading() as session:
        delivery = reports.deliveries_of(session, [row.id]).get(row.id)
    return show_set_with(call, row, delivery, set_record(row, delivery), fields)


def show_set_with(
    call: GraphCall,
    row: RequestSet,
    delivery: Delivery | None,
    record: Json,
    fields: Sequence[Field],
) -> Json:
    """Show a set whose record was made already."""
    wanted = fields or tuple(Field(name) for name in REQUEST_SET.default_fields)
    shown = {
        each.name: _requests_of(call, row, delivery, each)
        if each.name == "requests"
        else record.get(each.name)
        for each in wanted
    }
    return serve.select_fields({"id": record["id"], **shown}, tuple(shown))


def _requests_of(
    call: GraphCall, row: RequestSet, delivery: Delivery | None, wanted: Field
) -> Json:
    named = {"fields": serve.write_fields(wanted.fields)} if wanted.fields else {}
    key = {"access_token": call.key} if call.is_key_in_query else {}
    links = {**wanted.parameters, **named, **key}
    address = call.address_of(str(row.facebook_id), "requests")
    asked = EdgeCall(wanted.parameters, wanted.fields, address=address, links=links)
    return requests_page(call, row, delivery, asked)


def show_request(
    call: GraphCall,
    request: Request,
    row: RequestSet,
    delivery: Delivery | None,
    fields: Sequence[Field],
) -> Json:
    """Show a request of a set of ours with the fields asked for, or its defaults."""
    inner = next((each.fields for each in fields if each.name == "async_request_set"), ())
    record = set_record(row, delivery)
    shown_set = show_set_with(call, row, delivery, record, inner)
    names = tuple(each.name for each in fields) or REQUEST.default_fields
    return serve.select_fields(request_record(request, request_set=shown_set), names)


def requests_page(
    call: GraphCall, row: RequestSet, delivery: Delivery | None, asked: EdgeCall
) -> Json:
    """Show a page of a set's requests. Raises BadParameter."""
    limit = serve.parse_limit(asked.parameters.get("limit"))
    statuses = serve.parse_statuses(asked.parameters)
    after, before = cursors(asked.parameters)
    with parts().database.reading() as session:
        found = reports.requests_of(
            session, row.id, after=after, before=before, limit=limit + 1, statuses=statuses
        )
        total = (
            reports.count_requests(session, row.id, statuses=statuses)
            if wants_summary(asked.parameters)
            else None
        )
    shown = found[-limit:] if before is not None else found[:limit]
    return page(
        asked,
        [(each.id, show_request(call, each, row, delivery, asked.fields)) for each in shown],
        has_more=len(found) > limit,
        total=total,
    )


def cursors(parameters: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the cursors ``after`` and ``before``, of which the first counts."""
    after = serve.decode_cursor(parameters, "after")
    return after, None if after is not None else serve.decode_cursor(parameters, "before")


def wants_summary(parameters: Mapping[str, Any]) -> bool:
    return str(parameters.get("summary") or "").lower() in ("1", "true", "total_count")


def page(
    asked: EdgeCall,
    shown: Sequence[tuple[int, Json]],
    *,
    has_more: bool,
    total: int | None,
) -> Json:
    """Make a page of what is shown, each with its id, in the page's order.

    ``has_more`` tells whether more follow in the direction that was asked for.
    """
    after, before = cursors(asked.parameters)
    answer = serve.page_answer(
        [record for _, record in shown],
        first=shown[0][0] if shown else None,
        last=shown[-1][0] if shown else None,
        has_next=has_more if before is None else True,
        has_previous=has_more if before is not None else after is not None,
        url=asked.address,
        parameters=asked.links,
    )
    if total is not None:
        answer["summary"] = {"total_count": total}
    return answer
