"""The objects that ads are made of: campaigns, ad sets, creatives, images and ads.

What a caller gives is kept as it came and shown again; nothing else is known of an object.
"""

from __future__ import annotations

from collections.abc import Iterator
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


@dataclass
class GraphObject:
    """An object. ``is_created`` is False for one that only its id is known of: somebody used it."""

    id: str
    kind: ObjectKind
    account_id: str | None
    fields: dict[str, Any]
    created_time: datetime
    updated_time: datetime
    is_created: bool = True


@dataclass
class Objects:
    """All objects there are, by id, in the order of their coming into being."""

    _by_id: dict[str, GraphObject] = field(default_factory=dict)

    def add(self, thing: GraphObject) -> None:
        self._by_id[thing.id] = thing

    def remove(self, thing: GraphObject) -> None:
        del self._by_id[thing.id]

    def find(self, object_id: str) -> GraphObject | None:
        return self._by_id.get(object_id)

    def of_kind(self, kind: ObjectKind) -> Iterator[GraphObject]:
        return (thing for thing in self._by_id.values() if thing.kind == kind)
