"""The objects that a call names by their ids: ad sets, campaigns and creatives.

What was not made here exists from its first use. Until something of it is changed, nobody knows
what it is: its next use may take it for something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.graph.serve import BadParameter
from receiver.sandbox.calls.ids import is_object_id
from receiver.sandbox.views import specs
from receiver.sandbox.views.context import Context, Json
from receiver.sandbox.views.nodes import CREATIVE
from receiver.sandbox.world.objects import PARENTS, GraphObject, ObjectKind

_CONTENTS = frozenset(
    {
        "object_story_spec",
        "object_story_id",
        "asset_feed_spec",
        "source_instagram_media_id",
        "object_id",
        "object_url",
        "link_url",
        "image_hash",
        "image_url",
        "video_id",
        "product_set_id",
        "template_url",
        "title",
        "body",
    }
)
"""What a creative can be made of: one of these (the official SDK's fields)."""


def use(context: Context, object_id: str, *, kind: ObjectKind) -> GraphObject:
    """Return an object that somebody names for the first time.

    Raises GraphFault for an id that only this sandbox could have given, and has not.
    """
    if not context.world.may_exist(object_id):
        raise context.no_such_object(object_id)
    thing = GraphObject(object_id, kind, None, {}, context.now, context.now, is_created=False)
    context.world.objects.add(thing)
    return thing


def named(
    context: Context, field: str, object_id: str, *, kind: ObjectKind, account_id: str | None
) -> GraphObject:
    """Return the object that ``field`` names, which belongs to the account from now on.

    Raises GraphFault for one that does not exist, BadParameter for one of another kind or account.
    """
    world = context.world
    thing = world.objects.find(object_id)
    if thing is None:
        if world.find_set(object_id) or world.find_request(object_id):
            raise _is_no(kind, field)
        thing = use(context, object_id, kind=kind)
    if thing.is_deleted:
        raise context.no_such_object(object_id)
    if thing.kind != kind:
        if thing.is_settled:
            raise _is_no(kind, field)
        world.objects.become(thing, kind)
    if account_id is not None:
        _take_into(context, account_id, thing, field=field)
    return thing


def _take_into(context: Context, account_id: str, thing: GraphObject, *, field: str) -> None:
    if thing.account_id is None:
        context.world.objects.adopt(thing, account_id)
    elif thing.is_created and thing.account_id != account_id:
        raise BadParameter(field, f"Param {field} names an object of another account.")


def _is_no(kind: ObjectKind, field: str) -> BadParameter:
    return BadParameter(field, f"Param {field} must name an object of the kind {kind}.")


def make(
    context: Context, kind: ObjectKind, fields: Json, *, account_id: str | None
) -> GraphObject:
    """Make an object. Its links have to be resolved already."""
    complete = {"status": "ACTIVE", **fields}
    now = context.now
    thing = GraphObject(context.world.new_id(), kind, account_id, complete, now, now)
    context.world.objects.add(thing)
    return thing


def resolve(context: Context, kind: ObjectKind, fields: Json, *, account_id: str | None) -> Json:
    """Return the fields with what they name looked up, and a creative that is told whole made.

    Raises GraphFault and BadParameter, then nothing is made.
    """
    if kind in PARENTS and PARENTS[kind][0] in fields:
        field, parent_kind = PARENTS[kind]
        named(context, field, fields[field], kind=parent_kind, account_id=account_id)
    if kind == ObjectKind.AD and "creative" in fields:
        creative = _resolve_creative(context, fields["creative"], account_id=account_id)
        return {**fields, "creative": {"id": creative.id}}
    return fields


def _resolve_creative(context: Context, spec: Any, *, account_id: str | None) -> GraphObject:
    """An ad names its creative or tells it whole (Facebook's page, on updates)."""
    if not isinstance(spec, dict):
        raise BadParameter("creative", "Param creative must be an object.")
    object_id = spec.get("creative_id", spec.get("id"))
    if object_id is None:
        fields = read_creative(spec)
        return make(context, ObjectKind.CREATIVE, fields, account_id=account_id)
    if not is_object_id(object_id):
        raise BadParameter("creative", "Param creative must name a creative by its id.")
    kind = ObjectKind.CREATIVE
    return named(context, "creative", str(object_id), kind=kind, account_id=account_id)


def read_creative(parameters: Mapping[str, Any]) -> Json:
    """Return the fields of a new creative. Raises BadParameter for one that would be empty."""
    fields = specs.read_fields(parameters, node=CREATIVE)
    if not _CONTENTS & fields.keys():
        raise BadParameter.missing("object_story_spec")
    return fields
