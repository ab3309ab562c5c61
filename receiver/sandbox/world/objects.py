"""The objects that ads are made of: campaigns, ad sets, creatives, images and ads.

What a caller gives is kept as it came and shown again; nothing else is known of an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ObjectKind(StrEnum):
    """The kinds of objects, by the word that Graph's edges have for them."""

    AD = "ad"
    AD_SET = "adset"
    CAMPAIGN = "campaign"
    CREATIVE = "adcreative"
    IMAGE = "adimage"


PARENTS = {
    ObjectKind.AD: ("adset_id", ObjectKind.AD_SET),
    ObjectKind.AD_SET: ("campaign_id", ObjectKind.CAMPAIGN),
}
"""The field that names an object's parent, and what the parent is, by the object's kind."""


@dataclass(eq=False)
class GraphObject:
    """An object. ``is_created`` is False for one that only its id is known of: somebody used it.

    A deleted object is kept, so that its id never names something new.
    """

    id: str
    kind: ObjectKind
    account_id: str | None
    fields: dict[str, Any]
    created_time: datetime
    updated_time: datetime
    is_created: bool = True
    is_deleted: bool = False

    @property
    def is_settled(self) -> bool:
        """Tell whether the object's kind is certain: it was created or changed as one."""
        return self.is_created or bool(self.fields)

    @property
    def is_unknown(self) -> bool:
        """Tell whether nothing but the id is known: nobody named the object in a create either."""
        return not self.is_settled and self.account_id is None

    @property
    def parent_id(self) -> str | None:
        return self.fields.get(PARENTS[self.kind][0]) if self.kind in PARENTS else None


@dataclass
class Objects:
    """All objects there are, by id, by account and by parent, in the order of their coming."""

    _by_id: dict[str, GraphObject] = field(default_factory=dict)
    _members: dict[tuple[str, ObjectKind], list[GraphObject]] = field(default_factory=dict)

    def add(self, thing: GraphObject) -> None:
        self._by_id[thing.id] = thing
        self._enlist(thing, thing.account_id and f"act_{thing.account_id}")
        self._enlist(thing, thing.parent_id)

    def find(self, object_id: str) -> GraphObject | None:
        """Return the object with an id, also a deleted one."""
        return self._by_id.get(object_id)

    def under(self, owner_id: str, kind: ObjectKind) -> Sequence[GraphObject]:
        """Return the objects of a kind that an account (``act_1``) or a parent has, also deleted.

        Their places in the list stay, whatever is added or deleted.
        """
        return self._members.get((owner_id, kind), ())

    def lineage(self, thing: GraphObject) -> dict[ObjectKind, str]:
        """Return the ids of an object, of its parent and of that one's, by their kinds."""
        ids = {thing.kind: thing.id}
        parent_id = thing.parent_id
        if parent_id is not None:
            ids[PARENTS[thing.kind][1]] = parent_id
            parent = self.find(parent_id)
            grandparent_id = parent.parent_id if parent else None
            if parent and grandparent_id is not None:
                ids[PARENTS[parent.kind][1]] = grandparent_id
        return ids

    def adopt(self, thing: GraphObject, account_id: str) -> None:
        """Note the account of an object of which it was not known."""
        thing.account_id = account_id
        self._enlist(thing, f"act_{account_id}")

    def change(self, thing: GraphObject, fields: dict[str, Any]) -> None:
        """Change fields of an object; a parent is named once and stays."""
        had_parent = thing.parent_id is not None
        thing.fields.update(fields)
        if not had_parent:
            self._enlist(thing, thing.parent_id)

    def become(self, thing: GraphObject, kind: ObjectKind) -> None:
        """Take an object that nobody created or changed for one of another kind."""
        if thing.account_id is not None:
            self._members[f"act_{thing.account_id}", thing.kind].remove(thing)
            self._members.setdefault((f"act_{thing.account_id}", kind), []).append(thing)
        thing.kind = kind

    def _enlist(self, thing: GraphObject, owner_id: str | None) -> None:
        if owner_id is not None:
            self._members.setdefault((owner_id, thing.kind), []).append(thing)
