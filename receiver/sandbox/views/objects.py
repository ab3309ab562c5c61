"""Ads, and what they are made of."""

from __future__ import annotations

from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import Node
from receiver.sandbox import outcomes
from receiver.sandbox.objects import GraphObject, ObjectKind
from receiver.sandbox.records import graph_time
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.requests import list_requests
from receiver.sandbox.work import is_object_id
from receiver.sandbox.world import Account


def use(context: Context, object_id: str, *, kind: ObjectKind) -> GraphObject:
    """Return an object that somebody names for the first time.

    Raises GraphFault for an id that only this sandbox could have given, and has not.
    """
    if not context.world.may_exist(object_id):
        raise context.no_such_object(object_id)
    thing = GraphObject(object_id, kind, None, {}, context.now, context.now, is_created=False)
    context.world.objects.add(thing)
    return thing


def create_ad(context: Context, account: Account) -> Json:
    """``POST /act_<id>/ads``."""
    if not is_object_id(context.parameters.get("adset_id")):
        raise BadParameter("adset_id", "The parameter adset_id is required")
    outcomes.check_fate(context.parameters)
    fields = context.fields_after_write(KINDS[ObjectKind.AD])
    ad = GraphObject(
        context.world.new_id(),
        ObjectKind.AD,
        account.id,
        dict(context.parameters),
        context.now,
        context.now,
    )
    context.world.objects.add(ad)
    return context.show(ad, fields)


def _record(_context: Context, thing: GraphObject) -> Json:
    return {
        **thing.fields,
        "id": thing.id,
        "created_time": graph_time(thing.created_time),
        "updated_time": graph_time(thing.updated_time),
    }


def _list_requests(context: Context, thing: GraphObject, edge_call: EdgeCall) -> Json:
    members = context.world.requests_under(thing.id)
    for request_set, _ in members:
        context.world.refresh(request_set, now=context.now)
    return list_requests(context, members, edge_call)


_AD = Node("Ad", ("id",), ("name", "adset_id", "created_time", "updated_time"))

KINDS = {
    ObjectKind.AD: Kind(_AD, _record),
    ObjectKind.AD_SET: Kind(_AD, _record, edges={"asyncadrequests": _list_requests}),
    ObjectKind.CAMPAIGN: Kind(_AD, _record),
    ObjectKind.CREATIVE: Kind(_AD, _record),
    ObjectKind.IMAGE: Kind(_AD, _record),
}
