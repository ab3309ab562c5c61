"""``filtering`` of insights: which ads, ad sets and campaigns are meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.sandbox.calls.ids import is_object_id
from receiver.sandbox.views import links
from receiver.sandbox.views.context import Context
from receiver.sandbox.world.objects import GraphObject, ObjectKind

Filters = dict[ObjectKind, frozenset[str]]
"""The ids that are meant, by the kind of what they name."""

_FIELDS = {
    "ad.id": ObjectKind.AD,
    "adset.id": ObjectKind.AD_SET,
    "campaign.id": ObjectKind.CAMPAIGN,
}
_OPERATORS = ("IN", "EQUAL")


def read_filters(parameters: Mapping[str, Any]) -> Filters:
    """Read ``[{field: ad.id, operator: IN, value: [600]}]``, leniently, as the page prints it.

    Raises BadParameter for anything but ids, with the operators IN and EQUAL.
    """
    if parameters.get("filtering") in (None, ""):
        return {}
    filters = serve.decode_json(parameters, "filtering", lenient=True)
    if not isinstance(filters, list):
        raise BadParameter("filtering", "Param filtering must be an array.")
    result: Filters = {}
    for each in filters:
        kind, ids = _read_filter(each)
        result[kind] = result.get(kind, ids) & ids
    return result


def _read_filter(value: Any) -> tuple[ObjectKind, frozenset[str]]:
    if not isinstance(value, dict):
        raise BadParameter("filtering", "Param filtering must be an array of objects.")
    kind = _FIELDS.get(str(value.get("field")))
    if kind is None or str(value.get("operator")).upper() not in _OPERATORS:
        fields, operators = ", ".join(_FIELDS), ", ".join(_OPERATORS)
        raise BadParameter("filtering", f"Can only filter by {fields} with {operators}.")
    ids = value.get("value")
    if not isinstance(ids, list):
        ids = [ids]
    if not all(map(is_object_id, ids)):
        raise BadParameter("filtering", "The value of a filter must be an id, or an array of ids.")
    return kind, frozenset(map(str, ids))


def filtered(
    context: Context, filters: Filters, *, level: ObjectKind | None, account_id: str | None
) -> Iterable[GraphObject]:
    """Yield what the filters mean, oldest first: of the level, or else of their narrowest kind."""
    narrowest = next((kind for kind in _FIELDS.values() if kind in filters), None)
    if narrowest is None:
        things = context.world.objects.under(f"act_{account_id}", level or ObjectKind.AD)
        return [thing for thing in things if not thing.is_deleted]
    named = _named(context, filters[narrowest], kind=narrowest)
    own = [thing for thing in named if not thing.is_created or thing.account_id == account_id]
    things = [thing for thing in own if _is_meant(context, thing, filters)]
    return _descendants(context, things, level=level) if level else things


def _named(context: Context, ids: frozenset[str], *, kind: ObjectKind) -> list[GraphObject]:
    """Return the objects of these ids; what is not there, or something else, has no figures."""
    found = []
    for object_id in sorted(ids, key=int):
        thing = context.world.objects.find(object_id)
        if thing is None and context.world.may_exist(object_id):
            thing = links.use(context, object_id, kind=kind)
        elif thing is not None and thing.is_unknown:
            context.world.objects.become(thing, kind)
        if thing is not None and thing.kind == kind and not thing.is_deleted:
            found.append(thing)
    return found


def _is_meant(context: Context, thing: GraphObject, filters: Filters) -> bool:
    lineage = context.world.objects.lineage(thing)
    return all(lineage.get(kind) in ids for kind, ids in filters.items())


def _descendants(
    context: Context, things: Iterable[GraphObject], *, level: ObjectKind
) -> list[GraphObject]:
    """Return what is of the level under things that stand higher, and the others as they are."""
    found = list(things)
    for kind, below in (
        (ObjectKind.CAMPAIGN, ObjectKind.AD_SET),
        (ObjectKind.AD_SET, ObjectKind.AD),
    ):
        if kind == level:
            break
        if found and found[0].kind == kind:
            members = [context.world.objects.under(thing.id, below) for thing in found]
            found = [child for each in members for child in each if not child.is_deleted]
    return found
