"""Where requests come from, set by set: few sets are kept at a time, however many there are."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from receiver.lifecycle import spec_matching
from receiver.store import lineage
from receiver.store.database import Database

_KEPT = 16


@dataclass(frozen=True)
class Place:
    """Where a request stood in what its caller sent; None for what cannot be told."""

    spec_index: int | None = None
    row_key: str | None = None
    sends_again: int | None = None


@dataclass(frozen=True)
class _SetLineage:
    indexes: Mapping[int, int]
    row_keys: Sequence[str] = ()
    parents: Mapping[int, int] = field(default_factory=dict)

    def place(self, request_id: int) -> Place:
        index = self.indexes.get(request_id)
        if index is None:
            return Place()
        key = self.row_keys[index] if index < len(self.row_keys) else None
        return Place(index, row_key=key, sends_again=self.parents.get(index))


class Lineage:
    """Tells where requests come from. Those of a set come close together in any order by id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[int, _SetLineage] = OrderedDict()

    def of_request(self, request_set_id: int, request_id: int) -> Place:
        """Return where a request stood. Raises DatabaseAway."""
        known = self._kept.get(request_set_id)
        if known is None:
            known = self._kept[request_set_id] = self._read(request_set_id)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return known.place(request_id)

    def _read(self, request_set_id: int) -> _SetLineage:
        with self._database.reading() as session:
            specs = json.loads(lineage.specs_of(session, request_set_id))
            inputs = lineage.inputs_of(session, request_set_id)
            keys = json.loads(lineage.row_keys_of(session, request_set_id) or b"[]")
            parents = lineage.parents_of(session, request_set_id)
        # What makes one creative holds it by itself, not in a list.
        indexes = spec_matching.match(specs if isinstance(specs, list) else [specs], inputs)
        return _SetLineage(indexes, row_keys=keys, parents=parents)
