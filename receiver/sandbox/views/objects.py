"""Campaigns, ad sets, ads and creatives: listed, read, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter, Field
from receiver.sandbox.views import figures, links, nodes, specs
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.records import graph_time
from receiver.sandbox.views.requests import list_requests
from receiver.sandbox.world.objects import PARENTS, GraphObject, ObjectKind
from receiver.sandbox.world.world import Account

_UNLISTED = ("DELETED", "ARCHIVED")
"""Facebook's edges list these only where ``effective_status`` names them."""

_EDITABLE = ("name", "status")
"""All that can be edited of a creative (Facebook's page)."""


def fields_to_show(context: Context, kind: Kind) -> tuple[Field, ...]:
    """Return the fields that a create answers: with ``redownload=1`` all of them.

    To be called before anything is made: raises BadParameter.
    """
    asked = context.fields_after_write(kind)
    wants_all = _is_redownload(context) and not context.parameters.get("fields")
    return _every_field(kind) if wants_all else asked


def _is_redownload(context: Context) -> bool:
    return bool(serve.parse_flag(context.parameters.get("redownload"), name="redownload"))


def _every_field(kind: Kind) -> tuple[Field, ...]:
    return tuple(Field(name) for name in kind.node.fields)


def list_of_account(kind: ObjectKind) -> Callable[[Context, Account, EdgeCall], Json]:
    """Return the edge of an account that lists its objects of a kind, oldest first."""

    def list_objects(context: Context, account: Account, edge_call: EdgeCall) -> Json:
        members = context.world.objects.under(f"act_{account.id}", kind)
        return _list(context, members, edge_call, kind=kind)

    return list_objects


def _list(
    context: Context, members: Sequence[GraphObject], edge_call: EdgeCall, *, kind: ObjectKind
) -> Json:
    keep = _filter(context, edge_call.parameters)
    return context.page(edge_call, members, kind=KINDS[kind], keep=keep)


def _filter(context: Context, parameters: Mapping[str, Any]) -> Callable[[GraphObject], bool]:
    words = specs.read_words(parameters, "effective_status")
    statuses = None if words is None else {word.upper() for word in words}
    ancestors = {
        kind: ids
        for kind, name in (
            (ObjectKind.AD_SET, "adset_ids"),
            (ObjectKind.CAMPAIGN, "campaign_ids"),
        )
        if (ids := specs.read_words(parameters, name)) is not None
    }

    def keep(thing: GraphObject) -> bool:
        status = thing.fields.get("status")
        is_listed = status not in _UNLISTED if statuses is None else status in statuses
        if thing.is_deleted or not is_listed:
            return False
        lineage = context.world.objects.lineage(thing) if ancestors else {}
        return all(lineage.get(kind) in ids for kind, ids in ancestors.items())

    return keep


def _list_children(kind: ObjectKind) -> Callable[[Context, GraphObject, EdgeCall], Json]:
    def list_objects(context: Context, parent: GraphObject, edge_call: EdgeCall) -> Json:
        members = context.world.objects.under(parent.id, kind)
        return _list(context, members, edge_call, kind=kind)

    return list_objects


def _list_ads_of_campaign(context: Context, campaign: GraphObject, edge_call: EdgeCall) -> Json:
    objects = context.world.objects
    ad_sets = objects.under(campaign.id, ObjectKind.AD_SET)
    ads = [ad for ad_set in ad_sets for ad in objects.under(ad_set.id, ObjectKind.AD)]
    ads.sort(key=lambda ad: int(ad.id))
    return _list(context, ads, edge_call, kind=ObjectKind.AD)


def _list_requests(context: Context, thing: GraphObject, edge_call: EdgeCall) -> Json:
    """List the requests for ads in an ad set; for a campaign, also those in its ad sets."""
    world = context.world
    ad_sets = world.objects.under(thing.id, ObjectKind.AD_SET)
    scopes = (thing.id, *(ad_set.id for ad_set in ad_sets))
    members = [member for scope in scopes for member in world.requests_under(scope)]
    members.sort(key=lambda member: int(member.request.id))
    return list_requests(context, members, edge_call)


def _record(context: Context, thing: GraphObject) -> Json:
    """Every field of an object. Of one that was not made here, hardly anything is known."""
    status = thing.fields.get("status")
    return {
        **thing.fields,
        "id": thing.id,
        "account_id": thing.account_id or _account_of_stranger(context),
        "configured_status": status,
        "effective_status": status,
        "created_time": graph_time(thing.created_time) if thing.is_created else None,
        "updated_time": graph_time(thing.updated_time) if thing.is_settled else None,
    }


def _account_of_stranger(context: Context) -> str:
    """The account that an object from elsewhere belongs to, as long as nothing says which.

    Every object has one, and a token sees only those of its accounts.
    """
    token = context.world.tokens.get(context.call.token)
    known = token.accounts if token and token.accounts else ()
    return next(iter((*known, *(account.id for account in context.world.accounts))), "1")


def _record_ad(context: Context, ad: GraphObject) -> Json:
    creative = ad.fields.get("creative")
    return {
        **_record_ad_set(context, ad),
        "creative": _living(context, creative["id"] if creative else None),
    }


def _record_ad_set(context: Context, thing: GraphObject) -> Json:
    """The fields of an ad set or an ad, with what stands above it."""
    lineage = context.world.objects.lineage(thing)
    ad_set_id, campaign_id = lineage.get(ObjectKind.AD_SET), lineage.get(ObjectKind.CAMPAIGN)
    return {
        **_record(context, thing),
        "adset_id": ad_set_id,
        "adset": _living(context, ad_set_id),
        "campaign_id": campaign_id,
        "campaign": _living(context, campaign_id),
    }


def _living(context: Context, object_id: str | None) -> Json | None:
    """Return what stands for another object inside of one; None if that was deleted."""
    thing = None if object_id is None else context.world.objects.find(object_id)
    return None if thing is None or thing.is_deleted else {"id": thing.id}


def _update(context: Context, thing: GraphObject) -> Json:
    """Change any field that the call gives; with ``redownload=1`` answer the whole object."""
    kind = KINDS[thing.kind]
    is_redownload = _is_redownload(context)
    fields = specs.read_fields(context.parameters, node=kind.node)
    _check_parent(thing, fields)
    resolved = links.resolve(context, thing.kind, fields, account_id=thing.account_id)
    context.world.objects.change(thing, resolved)
    thing.updated_time = context.now
    return context.show(thing, _every_field(kind)) if is_redownload else {"success": True}


def _check_parent(thing: GraphObject, fields: Json) -> None:
    """Raise BadParameter where an object would be moved."""
    if thing.parent_id is None:
        return
    name, _ = PARENTS[thing.kind]
    if fields.get(name, thing.parent_id) != thing.parent_id:
        raise BadParameter(name, f"Param {name} cannot be changed.")


def _update_creative(context: Context, creative: GraphObject) -> Json:
    for name in specs.read_fields(context.parameters, node=nodes.CREATIVE):
        if name not in _EDITABLE:
            raise BadParameter(name, f"Param {name} of a creative cannot be changed.")
    return _update(context, creative)


def _delete(_context: Context, thing: GraphObject) -> Json:
    thing.is_deleted = True
    return {"success": True}


KINDS = {
    ObjectKind.AD: Kind(
        nodes.AD,
        _record_ad,
        links=frozenset({"creative", "adset", "campaign"}),
        edges={"insights": figures.list_insights},
        update=_update,
        delete=_delete,
    ),
    ObjectKind.AD_SET: Kind(
        nodes.AD_SET,
        _record_ad_set,
        links=frozenset({"campaign"}),
        edges={
            "ads": _list_children(ObjectKind.AD),
            "asyncadrequests": _list_requests,
            "insights": figures.list_insights,
        },
        update=_update,
        delete=_delete,
    ),
    ObjectKind.CAMPAIGN: Kind(
        nodes.CAMPAIGN,
        _record,
        edges={
            "ads": _list_ads_of_campaign,
            "adsets": _list_children(ObjectKind.AD_SET),
            "asyncadrequests": _list_requests,
            "insights": figures.list_insights,
        },
        update=_update,
        delete=_delete,
    ),
    ObjectKind.CREATIVE: Kind(nodes.CREATIVE, _record, update=_update_creative, delete=_delete),
    ObjectKind.IMAGE: Kind(nodes.IMAGE, _record),
}
