"""Which of the calls are about the receiver's own sets, and what answers each."""

from __future__ import annotations

from typing import Any

from receiver.graph import serve
from receiver.graph.vocabulary import AD_SETS_EDGE, REQUEST, REQUEST_SET
from receiver.store import reports
from receiver.store.keys import Caller
from receiver.store.models import RequestSet
from receiver.web.context import parts
from receiver.web.gateway import faults
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own.creates import create
from receiver.web.gateway.own.records import request_record, set_record
from receiver.web.gateway.paths import account_number, object_number


def answer(call: GraphCall, holder: Caller) -> Answer | None:
    """Answer a call that creates, lists or addresses sets of ours; None for any other."""
    match call.method, call.segments:
        case "POST", (node, edge) if edge == AD_SETS_EDGE and account_number(node):
            return create(call, holder, account_id=account_number(node) or 0)
        case "GET", (node,):
            return _read_set(call, holder, node)
        case "GET", (node, "requests"):
            return _read_requests(call, holder, node)
    return None


def is_own(call: GraphCall, holder: Caller) -> bool:
    """Tell whether the gateway itself answers a call, before it is answered."""
    raise NotImplementedError


def read_many(call: GraphCall, holder: Caller) -> Answer:
    """Answer a read with ``ids``: ours from SQL, the others in one call to Facebook."""
    raise NotImplementedError


def _read_set(call: GraphCall, holder: Caller, node: str) -> Answer:
    row = _find(holder, node)
    fields = serve.parse_fields(call.parameters.get("fields"), node=REQUEST_SET)
    return _from_store(serve.select_fields(set_record(row), fields), call, row)


def _read_requests(call: GraphCall, holder: Caller, node: str) -> Answer:
    row = _find(holder, node)
    parameters = call.parameters
    fields = serve.parse_fields(parameters.get("fields"), node=REQUEST)
    limit = serve.parse_limit(parameters.get("limit"))
    statuses = serve.parse_statuses(parameters)
    after = serve.decode_cursor(parameters, "after")
    before = None if after is not None else serve.decode_cursor(parameters, "before")
    with parts().database.reading() as session:
        found = reports.requests_of(
            session, row.id, after=after, before=before, limit=limit + 1, statuses=statuses
        )
    more = len(found) > limit
    shown = found[-limit:] if before is not None else found[:limit]
    page = serve.page_answer(
        [
            serve.select_fields(request_record(one, set_id=row.facebook_id or 0), fields)
            for one in shown
        ],
        first=shown[0].id if shown else None,
        last=shown[-1].id if shown else None,
        has_next=more if before is None else True,
        has_previous=more if before is not None else after is not None,
        url=call.address_of(*call.segments),
        parameters={**call.link_parameters(), "limit": str(limit)},
    )
    return _from_store(page, call, row)


def _find(holder: Caller, node: str) -> RequestSet:
    number = object_number(node)
    if number is not None:
        with parts().database.reading() as session:
            row = reports.find_set(session, holder.account_ids, facebook_id=number)
        if row is not None:
            return row
    raise faults.no_such_object(node)


def _from_store(body: dict[str, Any], call: GraphCall, row: RequestSet) -> Answer:
    headers = [("X-Receiver-Set", str(row.id))]
    known_at = row.looked_at or row.opened_at
    if known_at is not None:
        age_seconds = (parts().now() - known_at).total_seconds()
        headers.append(("Age", str(max(0, int(age_seconds)))))
    return json_answer(body, call, source="store", headers=tuple(headers))
