"""Read one page of a list by key, and count it up to a cap.

A list is the union of *branches*: conditions of equality which, with the order, one index serves.
What no index serves is a *residual* condition. A page that has any reads a window of at most
WINDOW_ROWS rows: it may be short, or empty, and still say where to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

WINDOW_ROWS = 5_000
COUNTED_MOST = 10_000

_BRANCHES_A_STATEMENT = 64
"""SQLite takes 500 parts of a compound statement at the most."""

Conditions = tuple[ColumnElement[bool], ...]
Key = tuple[Any, int]
"""Where a row stands in a list: its value in the column that sorts, and its id."""


@dataclass(frozen=True)
class Order:
    """The column that sorts a list, its rows' ids, which break ties, and the direction."""

    column: Any
    id: Any
    is_descending: bool = True

    @property
    def key(self) -> ColumnElement[Any]:
        return tuple_(self.column, self.id)

    def by(self) -> tuple[Any, Any]:
        if self.is_descending:
            return self.column.desc(), self.id.desc()
        return self.column.asc(), self.id.asc()

    def beyond(self, key: Key, *, inclusive: bool = False) -> ColumnElement[bool]:
        """Whether a row comes behind a key in this order."""
        there = self._at(key)
        if self.is_descending:
            return self.key <= there if inclusive else self.key < there
        return self.key >= there if inclusive else self.key > there

    def up_to(self, key: Key) -> ColumnElement[bool]:
        """Whether a row comes before a key in this order, or is the one."""
        there = self._at(key)
        return self.key >= there if self.is_descending else self.key <= there

    def _at(self, key: Key) -> ColumnElement[Any]:
        return tuple_(literal(key[0], type_=self.column.type), literal(key[1], type_=self.id.type))

    def first(self, keys: Collection[Key]) -> Key:
        """The key among some that comes first in this order."""
        return max(keys) if self.is_descending else min(keys)


@dataclass(frozen=True)
class Listing:
    """What to list: ``columns`` of the rows of any branch that meet every residual condition."""

    columns: Sequence[Any]
    order: Order
    branches: Sequence[Conditions]
    residual: Conditions = ()


@dataclass(frozen=True)
class Page:
    """Some rows, and the key to go on from; None at the end of the list.

    ``is_partial`` tells that the reading stopped at its window: more may follow although the page
    is not full.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    next_key: Key | None = None
    is_partial: bool = False


@dataclass(frozen=True)
class Count:
    """How many rows a list has: ``at_least`` so many where the count was cut off."""

    at_least: int
    is_exact: bool


def read_page(session: Session, listing: Listing, *, after: Key | None, limit: int) -> Page:
    """Read up to ``limit`` rows behind a key."""
    beyond = () if after is None else (listing.order.beyond(after),)
    floor = _floor(session, listing, beyond, window_rows=WINDOW_ROWS)
    within = beyond if floor is None else (*beyond, listing.order.up_to(floor))
    keys = _keys(session, listing, within, limit=limit + 1)
    shown = keys[:limit]
    rows = _rows(session, listing, shown)
    if len(keys) > limit:
        return Page(rows, next_key=shown[-1])
    return Page(rows, next_key=floor, is_partial=floor is not None)


def count(session: Session, listing: Listing) -> Count:
    """Count a list up to COUNTED_MOST, or what its window holds."""
    floor = _floor(session, listing, (), window_rows=COUNTED_MOST)
    within = () if floor is None else (listing.order.up_to(floor),)
    counted = 0
    for branches in _chunks(listing.branches):
        some = [
            select(listing.order.id)
            .where(*branch, *listing.residual, *within)
            .limit(COUNTED_MOST - counted + 1)
            .subquery()
            for branch in branches
        ]
        ids = union_all(*(select(one.c.id) for one in some)).subquery()
        counted += session.execute(select(func.count()).select_from(ids)).scalar_one()
        if counted > COUNTED_MOST:
            return Count(COUNTED_MOST, is_exact=False)
    return Count(counted, is_exact=floor is None)


def _floor(
    session: Session, listing: Listing, beyond: Conditions, *, window_rows: int
) -> Key | None:
    """Return the last key of the window; None where it holds all that is left, or none is needed.

    Each branch has its share of the window, and the page ends where the first of them does.
    """
    if not listing.residual:
        return None
    order, rows_of_branch = listing.order, max(1, window_rows // len(listing.branches or [0]))
    ends = [
        session.execute(
            select(order.column, order.id)
            .where(*branch, *beyond)
            .order_by(*order.by())
            .offset(rows_of_branch - 1)
            .limit(1)
        ).one_or_none()
        for branch in listing.branches
    ]
    keys = [(end[0], end[1]) for end in ends if end is not None]
    return order.first(keys) if keys else None


def _keys(session: Session, listing: Listing, within: Conditions, *, limit: int) -> list[Key]:
    """Return the first keys of all branches together."""
    order = listing.order
    keys: set[Key] = set()
    for branches in _chunks(listing.branches):
        firsts = [
            select(order.column.label("sorted_by"), order.id.label("id"))
            .where(*branch, *listing.residual, *within)
            .order_by(*order.by())
            .limit(limit)
            .subquery()
            for branch in branches
        ]
        statement = union_all(*(select(one.c.sorted_by, one.c.id) for one in firsts))
        keys |= {(row[0], row[1]) for row in session.execute(statement)}
    return sorted(keys, reverse=order.is_descending)[:limit]


def _rows(session: Session, listing: Listing, keys: Sequence[Key]) -> list[dict[str, Any]]:
    ids = [key[1] for key in keys]
    if not ids:
        return []
    found = session.execute(select(*listing.columns).where(listing.order.id.in_(ids))).mappings()
    by_id = {row["id"]: dict(row) for row in found}
    return [by_id[one] for one in ids if one in by_id]


def _chunks(branches: Sequence[Conditions]) -> Iterator[Sequence[Conditions]]:
    for start in range(0, len(branches), _BRANCHES_A_STATEMENT):
        yield branches[start : start + _BRANCHES_A_STATEMENT]
