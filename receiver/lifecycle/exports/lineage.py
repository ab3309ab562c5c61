"""Where requests come from, set by set: few of them are kept, however many sets there are."""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.lifecycle import spec_matching
from receiver.store import lineage
from receiver.store.database import Database

_KEPT_REQUESTS = 100_000
"""Some ten megabytes: the requests of the hundreds of sets that may be at work at a time."""


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
    """Tells where requests come from, page by page: each set is read once for a page.

    Sets that were at work at the same time stand side by side in any order by id, so that the next
    page has requests of the same ones.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[int, _SetLineage] = OrderedDict()
        self._kept_requests = 0

    def of_page(self, page: Sequence[Mapping[str, Any]]) -> dict[int, Place]:
        """Return where each of some requests stood, by its id. Raises DatabaseAway."""
        by_set: dict[int, list[int]] = defaultdict(list)
        for row in page:
            by_set[row["request_set_id"]].append(row["id"])
        places: dict[int, Place] = {}
        for request_set_id, request_ids in by_set.items():
            of_set = self._of_set(request_set_id)
            places |= {one: of_set.place(one) for one in request_ids}
        return places

    def _of_set(self, request_set_id: int) -> _SetLineage:
        known = self._kept.pop(request_set_id, None)
        if known is None:
            known = self._read(request_set_id)
            self._kept_requests += len(known.indexes)
        self._kept[request_set_id] = known
        while self._kept_requests > _KEPT_REQUESTS:
            _, unused_longest = self._kept.popitem(last=False)
            self._kept_requests -= len(unused_longest.indexes)
        return known

    def _read(self, request_set_id: int) -> _SetLineage:
        with self._database.reading() as session:
            specs = json.loads(lineage.specs_of(session, request_set_id))
            inputs = lineage.inputs_of(session, request_set_id)
            keys = json.loads(lineage.row_keys_of(session, request_set_id) or b"[]")
            parents = lineage.parents_of(session, request_set_id)
        # What makes one creative holds it by itself, not in a list.
        indexes = spec_matching.match(specs if isinstance(specs, list) else [specs], inputs)
        return _SetLineage(indexes, row_keys=keys, parents=parents)
