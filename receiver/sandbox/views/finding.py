"""Which thing an id names, and what a thing that nobody knows is taken for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.sandbox.calls import errors
from receiver.sandbox.calls.ids import account_number, is_object_id
from receiver.sandbox.views import accounts, links, objects, people, requests, sets
from receiver.sandbox.views.context import Context, Kind
from receiver.sandbox.world.objects import GraphObject, ObjectKind
from receiver.sandbox.world.request_set import Member, RequestSet
from receiver.sandbox.world.world import Account

_KINDS: Mapping[type, Kind] = {
    RequestSet: sets.KIND,
    Member: requests.KIND,
    Account: accounts.KIND,
    people.User: people.KIND,
}

_BY_EDGE = {
    "ads": ObjectKind.AD_SET,
    "asyncadrequests": ObjectKind.AD_SET,
    "adsets": ObjectKind.CAMPAIGN,
}
"""What an id that nobody knows stands for, by the edge that is asked of it."""

_BY_FIELDS = (ObjectKind.AD, ObjectKind.AD_SET, ObjectKind.CAMPAIGN, ObjectKind.CREATIVE)
"""What it may stand for otherwise: the first of which all is that the call names."""


def kind_of(thing: Any) -> Kind:
    return objects.KINDS[thing.kind] if isinstance(thing, GraphObject) else _KINDS[type(thing)]


def find(context: Context, object_id: str) -> Any:
    """Return the thing with an id; an object from elsewhere comes into being with its first use.

    Raises GraphFault for what does not exist.
    """
    return find_for_node(context, object_id, names=())


def find_for_edge(context: Context, object_id: str, edge: str) -> Any:
    """Find the thing whose edge a call asks for, as ``find`` does."""
    return _find(context, object_id, kinds=(_BY_EDGE.get(edge, ObjectKind.AD),), names=(edge,))


def find_for_node(context: Context, object_id: str, *, names: Iterable[str]) -> Any:
    """Find a thing that has fields of these names, as ``find`` does."""
    return _find(context, object_id, kinds=_BY_FIELDS, names=names)


def _find(
    context: Context, object_id: str, *, kinds: tuple[ObjectKind, ...], names: Iterable[str]
) -> Any:
    found = _known(context, object_id)
    if found is None:
        if not is_object_id(object_id):
            raise errors.unknown_path(context.call.path)
        return links.use(context, object_id, kind=_choose(kinds, names))
    if isinstance(found, GraphObject):
        if found.is_deleted:
            raise context.no_such_object(object_id)
        if found.is_unknown:
            context.world.objects.become(found, _choose((found.kind, *kinds), names))
    return found


def _choose(kinds: tuple[ObjectKind, ...], names: Iterable[str]) -> ObjectKind:
    """Return the first kind that has what is named; where none has, the first."""
    wanted = set(names)
    return next((kind for kind in kinds if wanted <= _names_of(kind)), kinds[0])


def _names_of(kind: ObjectKind) -> set[str]:
    view = objects.KINDS[kind]
    return {*view.node.fields, *view.edges}


def _known(context: Context, object_id: str) -> Any:
    world = context.world
    account_id = account_number(object_id)
    if account_id is not None:
        if not world.knows_account(account_id):
            raise context.no_such_object(object_id)
        return world.account(account_id)
    found = (
        world.find_set(object_id) or world.find_request(object_id) or world.objects.find(object_id)
    )
    if found is not None:
        return found
    user = people.user_of(context)
    return user if object_id in ("me", user.id) else None
