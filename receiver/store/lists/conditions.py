"""What the lists share: time ranges, and the branches of several accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement

from receiver.store.lists.paging import Conditions


@dataclass(frozen=True)
class Between:
    """A time range: from ``since`` up to ``until``, which is excluded; None leaves a side open."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, moment: Any) -> Conditions:
        """Whether a moment lies in the range."""
        return tuple(self._sides(moment))

    def _sides(self, moment: Any) -> Iterator[ColumnElement[bool]]:
        if self.since is not None:
            yield moment >= self.since
        if self.until is not None:
            yield moment < self.until


ANY_TIME = Between()


_BRANCHES_MOST = 200


def is_branched(account_ids: Collection[int], values: Sequence[Any]) -> bool:
    """Tell whether there may be a branch for each account and value: not if they are very many."""
    return bool(values) and len(account_ids) * len(values) <= _BRANCHES_MOST


def branches_of(
    account: Any, account_ids: Collection[int], *others: tuple[Any, Sequence[Any]]
) -> list[Conditions]:
    """Return a branch for each account and each value of each other column."""
    columns = [account, *(column for column, _ in others)]
    values = [sorted(account_ids), *(dict.fromkeys(each) for _, each in others)]
    return [
        tuple(column == value for column, value in zip(columns, one, strict=True))
        for one in product(*values)
    ]


def is_one_of(column: Any, values: Sequence[Any]) -> Conditions:
    """Whether a column has one of some values; no values ask for nothing."""
    return (column.in_(values),) if values else ()
