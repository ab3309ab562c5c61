"""Lists: the sets of an account, and the requests for an object's ads; ours and others' by id."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import Field
from receiver.graph.vocabulary import (
    ALL_SETS_EDGE,
    CREATE_EDGES,
    LISTED_SET,
    REQUEST,
    REQUEST_SET,
    SCOPE_EDGE,
    Node,
)
from receiver.store import edges, reports
from receiver.store.database import Session
from receiver.store.edges import EdgeName
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.gateway.access import require_account
from receiver.web.gateway.answer import Answer, Headers, json_answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.own import freshness
from receiver.web.gateway.own.records import listed_record, set_record
from receiver.web.gateway.own.show import (
    EdgeCall,
    Json,
    check_request_fields,
    check_set_fields,
    cursors,
    edge_call,
    page,
    show_request,
    show_set_with,
    wants_summary,
)

Shown = tuple[int, Json]


@dataclass(frozen=True)
class _Members:
    """How a list's members are found and shown.

    ``ids`` gives those beside a cursor, ``show`` those of a chunk that are meant, each with its id.
    """

    ids: Callable[[Session, int | None, int | None, int], list[int]]
    show: Callable[[Session, list[int]], list[Shown]]


def list_sets(call: GraphCall, holder: Caller, *, account_id: int, edge: str) -> Answer:
    """Answer ``GET /act_<id>/<edge>``: the sets that were created there, newest first.

    ``async_requests`` lists those of every edge. Raises Fault and BadParameter.
    """
    require_account(holder, account_id)
    asked, name = edge_call(call), EdgeName(account_id, edge)
    is_listed = edge == ALL_SETS_EDGE
    check_set_fields(asked.fields, node=LISTED_SET if is_listed else REQUEST_SET)
    own_edges = CREATE_EDGES if is_listed else (edge,)
    is_completed = serve.parse_flag(asked.parameters.get("is_completed"), name="is_completed")
    keep = _listed_filter(asked) if is_listed else _all
    freshness.freshen_account(account_id, holder, name, own_edges=own_edges)
    members = _Members(
        ids=lambda session, after, before, limit: edges.set_ids(
            session,
            name,
            own_edges=own_edges,
            is_completed=is_completed,
            after=after,
            before=before,
            limit=limit,
        ),
        show=lambda session, ids: _show_sets(
            session, ids, call=call, holder=holder, name=name, fields=asked.fields, keep=keep
        ),
    )
    with parts().database.reading() as session:
        shown, has_more = _take(session, members, asked)
        total = (
            edges.count_sets(session, name, own_edges=own_edges, is_completed=is_completed)
            if wants_summary(asked.parameters) and keep is _all
            else None
        )
        headers = _age(session, name)
    answer = page(asked, shown, has_more=has_more, total=total)
    return json_answer(answer, call, source="store", headers=headers)


def list_scope(call: GraphCall, holder: Caller, *, account_id: int, object_id: int) -> Answer:
    """Answer ``GET /<ad set or campaign>/asyncadrequests``: the requests for its ads.

    Raises Fault and BadParameter.
    """
    asked, name = edge_call(call), EdgeName(object_id, SCOPE_EDGE)
    check_request_fields(asked.fields)
    statuses = serve.parse_statuses(asked.parameters)
    freshness.freshen_scope(account_id, holder, name)
    members = _Members(
        ids=lambda session, after, before, limit: edges.request_ids(
            session,
            name,
            account_ids=holder.account_ids,
            after=after,
            before=before,
            limit=limit,
        ),
        show=lambda session, ids: _show_requests(
            session, ids, call=call, holder=holder, name=name, asked=asked, statuses=statuses
        ),
    )
    with parts().database.reading() as session:
        shown, has_more = _take(session, members, asked)
        total = (
            edges.count_requests(session, name, account_ids=holder.account_ids)
            if wants_summary(asked.parameters) and statuses is None
            else None
        )
        headers = _age(session, name)
    answer = page(asked, shown, has_more=has_more, total=total)
    return json_answer(answer, call, source="store", headers=headers)


def _take(session: Session, members: _Members, asked: EdgeCall) -> tuple[list[Shown], bool]:
    """Take a page: as many members as the limit says, and whether more follow.

    A filter that SQL does not know is applied chunk by chunk, until the page is full.
    """
    limit = serve.parse_limit(asked.parameters.get("limit"))
    after, before = cursors(asked.parameters)
    is_backwards = before is not None
    found: list[Shown] = []
    while len(found) <= limit:
        ids = members.ids(session, after, before, limit + 1)
        kept = members.show(session, ids)
        found = [*kept, *found] if is_backwards else [*found, *kept]
        if len(ids) <= limit:
            break
        after, before = (None, ids[0]) if is_backwards else (ids[-1], None)
    shown = found[-limit:] if is_backwards else found[:limit]
    return shown, len(found) > limit


def _show_sets(
    session: Session,
    ids: list[int],
    *,
    call: GraphCall,
    holder: Caller,
    name: EdgeName,
    fields: tuple[Field, ...],
    keep: Callable[[Json], bool],
) -> list[Shown]:
    own = reports.find_sets(session, holder.account_ids, facebook_ids=ids)
    deliveries = reports.deliveries_of(session, [row.id for row in own.values()])
    others = edges.records(session, name, ids=[each for each in ids if each not in own])
    node = LISTED_SET if name.edge == ALL_SETS_EDGE else REQUEST_SET
    shown: list[Shown] = []
    for set_id in ids:
        row = own.get(set_id)
        if row is not None:
            delivery = deliveries.get(row.id)
            record = listed_record(set_record(row, delivery), edge=row.edge)
            if keep(record):
                shown.append((set_id, show_set_with(call, row, delivery, record, fields)))
        elif set_id in others:
            record = listed_record(_without_tag(json.loads(others[set_id])), edge=None)
            if keep(record):
                shown.append((set_id, _plain(record, fields, node=node)))
    return shown


def _show_requests(
    session: Session,
    ids: list[int],
    *,
    call: GraphCall,
    holder: Caller,
    name: EdgeName,
    asked: EdgeCall,
    statuses: frozenset[str] | None,
) -> list[Shown]:
    own = reports.find_requests(session, holder.account_ids, ids=ids)
    deliveries = reports.deliveries_of(session, {row.id for _, row in own.values()})
    others = edges.records(session, name, ids=[each for each in ids if each not in own])
    shown: list[Shown] = []
    for request_id in ids:
        if request_id in own:
            request, row = own[request_id]
            if statuses is None or request.status.upper() in statuses:
                delivery = deliveries.get(row.id)
                shown.append((request_id, show_request(call, request, row, delivery, asked.fields)))
        elif request_id in others:
            record = json.loads(others[request_id])
            if statuses is None or str(record.get("status")).upper() in statuses:
                shown.append((request_id, _plain(record, asked.fields, node=REQUEST)))
    return shown


def _without_tag(record: Json) -> Json:
    """A set of ours that we do not know yet carries our tag behind its caller's name."""
    name = record.get("name")
    return {**record, "name": parts().keys.remove_tag(name)} if isinstance(name, str) else record


def _plain(record: Json, fields: Sequence[Field], *, node: Node) -> Json:
    """Show what somebody else made, as Facebook showed it: nothing of it is expanded further."""
    return serve.select_fields(record, [each.name for each in fields] or node.default_fields)


def _listed_filter(asked: EdgeCall) -> Callable[[Json], bool]:
    """What the SDK's filters admit; a type that we do not know passes where all types do."""
    parameters = asked.parameters
    if parameters.get("status") in (None, "") and parameters.get("type") in (None, ""):
        return _all
    statuses = serve.parse_listed_statuses(parameters)
    types: Sequence[Any] = serve.parse_listed_types(parameters)
    if len(types) == len(serve.ListedType):
        types = (*types, None)
    return lambda record: record["status"] in statuses and record["type"] in types


def _all(_record: Json) -> bool:
    return True


def _age(session: Session, name: EdgeName) -> Headers:
    """How old the reading of the edge is; nothing for one that was never read whole."""
    read_at = edges.read_at(session, name)
    if read_at is None:
        return ()
    return (("Age", str(max(0, int((parts().now() - read_at).total_seconds())))),)
