"""Read one page of a list by key, and count it up to a cap.

A list is the union of *branches*: conditions of equality which, with the order, one index serves.
No row stands in two of them: it would count twice. What no index serves is a *residual* condition.
A page that has any reads a window of at most WINDOW_ROWS rows: it may be short, or empty, and still
say where to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    any_,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
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
    """The column that sorts a list, its rows' ids, which break ties, and the direction.

    All rows have the same value in ``led_by``, where there is one: it changes no order.
    """

    column: Any
    id: Any
    is_descending: bool = True
    led_by: Any = None

    @property
    def key(self) -> ColumnElement[Any]:
        return tuple_(self.column, self.id)

    def by(self) -> list[Any]:
        leading = () if self.led_by is None else (self.led_by,)
        columns = (*leading, self.column, self.id)
        return [each.desc() if self.is_descending else each.asc() for each in columns]

    def beyond(self, key: Key) -> ColumnElement[bool]:
        """Whether a row comes behind a key in this order."""
        there = self._at(key)
        return self.key < there if self.is_descending else self.key > there

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
    """What to list: ``columns`` of the rows of any branch that meet every residual condition.

    ``led_by`` is a column that has a value in every row: the index to use begins with it.
    ``is_cut`` finds something if a branch leaves rows out because it looks through so many only.
    """

    columns: Sequence[Any]
    order: Order
    branches: Sequence[Conditions]
    residual: Conditions = ()
    led_by: tuple[Any, Any] | None = None
    is_cut: Select[Any] | None = None


@dataclass(frozen=True)
class Page:
    """Some rows, and the key to go on from; None at the end of the list.

    ``is_partial`` tells that the reading stopped at its window, so that more may follow although
    the page is not full, or that the list itself is cut.
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
    listing = _led(session, listing)
    beyond = () if after is None else (listing.order.beyond(after),)
    floor = _floor(session, listing, beyond, window_rows=WINDOW_ROWS)
    within = beyond if floor is None else (*beyond, listing.order.up_to(floor))
    keys, end = _keys(session, listing, within, limit=limit + 1)
    shown = keys[:limit]
    rows = _rows(session, listing, shown)
    is_cut = _is_cut(session, listing)
    if len(keys) > limit:
        return Page(rows, next_key=shown[-1], is_partial=is_cut)
    stopped_at = floor if end is None else end
    return Page(rows, next_key=stopped_at, is_partial=is_cut or stopped_at is not None)


def count(session: Session, listing: Listing) -> Count:
    """Count a list up to COUNTED_MOST, or what its window holds."""
    listing = _led(session, listing)
    floor = _floor(session, listing, (), window_rows=COUNTED_MOST)
    within = () if floor is None else (listing.order.up_to(floor),)
    counted = 0
    for branches in _chunks(listing.branches):
        most = COUNTED_MOST - counted + 1
        some = [
            select(listing.order.id).where(*branch, *listing.residual, *within).limit(most)
            for branch in branches
        ]
        # All branches together stop there, too: of twenty accounts each has as many.
        ids = _together(some, literal_column("1")).limit(most).subquery()
        counted += session.execute(select(func.count()).select_from(ids)).scalar_one()
        if counted > COUNTED_MOST:
            return Count(COUNTED_MOST, is_exact=False)
    return Count(counted, is_exact=floor is None and not _is_cut(session, listing))


def _is_cut(session: Session, listing: Listing) -> bool:
    return listing.is_cut is not None and session.execute(listing.is_cut).first() is not None


def _led(session: Session, listing: Listing) -> Listing:
    """Say what leads so that PostgreSQL takes the index which begins with it, and no other.

    Told that a column equals a value, it may walk the primary key instead, which has the order
    asked for, and hope to meet enough such rows soon. Of an ad set that was busy weeks ago it
    meets none for millions of rows. An array leaves the column in the order, which only that
    index has.
    """
    if listing.led_by is None:
        return listing
    column, value = listing.led_by
    if session.get_bind().dialect.name == "sqlite":
        return replace(listing, branches=[(*each, column == value) for each in listing.branches])
    is_led = column == any_(array([literal(value, type_=column.type)]))
    return replace(
        listing,
        order=replace(listing.order, led_by=column),
        branches=[(*each, is_led) for each in listing.branches],
    )


def _floor(
    session: Session, listing: Listing, beyond: Conditions, *, window_rows: int
) -> Key | None:
    """Return the last key of the window; None where it holds all that is left, or none is needed.

    Each branch has its share of the window, and the page ends where the first of them does.
    """
    if not listing.residual:
        return None
    rows_of_branch = max(1, window_rows // len(listing.branches or [0]))
    ends: set[Key] = set()
    for branches in _chunks(listing.branches):
        some = [
            _keys_of(listing.order, *branch, *beyond).offset(rows_of_branch - 1).limit(1)
            for branch in branches
        ]
        ends.update(_execute(session, _together(some, *_key_columns(listing.order))))
    return listing.order.first(ends) if ends else None


def _keys(
    session: Session, listing: Listing, within: Conditions, *, limit: int
) -> tuple[list[Key], Key | None]:
    """Return the first keys of all branches together, and the last of them if more may follow.

    That is told by how many rows came, not by how many differ: should one ever stand in two
    branches, the list goes on all the same.
    """
    order = listing.order
    keys: set[Key] = set()
    ends: set[Key] = set()
    for branches in _chunks(listing.branches):
        firsts = [
            _keys_of(order, *branch, *listing.residual, *within).limit(limit) for branch in branches
        ]
        sorted_by, row_id = _key_columns(order)
        merged = Order(sorted_by, row_id, is_descending=order.is_descending)
        # The database merges what each branch has in order, and reads hardly more than the page.
        first = _together(firsts, sorted_by, row_id).order_by(*merged.by()).limit(limit)
        found = _execute(session, first)
        keys.update(found)
        if len(found) == limit:
            ends.add(found[-1])
    in_order = sorted(keys, reverse=order.is_descending)
    if not ends:
        return in_order, None
    # Behind the last key of one statement, it may have others before those of the next one.
    end = order.first(ends)
    return in_order[: in_order.index(end) + 1], end


def _keys_of(order: Order, *conditions: ColumnElement[bool]) -> Select[Any]:
    keys = select(order.column.label("sorted_by"), order.id.label("row_id"))
    return keys.where(*conditions).order_by(*order.by())


def _key_columns(order: Order) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Name a key's parts as ``_keys_of`` does, without the cost of a column of each subquery."""
    return (
        literal_column("sorted_by", type_=order.column.type),
        literal_column("row_id", type_=order.id.type),
    )


def _together(some: Sequence[Select[Any]], *columns: ColumnElement[Any]) -> Select[Any]:
    """Read columns of several statements that are ordered and limited each by itself."""
    # SQLite takes no parentheses there: each becomes a subquery.
    parts = [select(*columns).select_from(one.subquery()) for one in some]
    if len(parts) == 1:
        return parts[0]
    return select(*columns).select_from(union_all(*parts).subquery())


def _execute(session: Session, keys: Select[Any]) -> list[Key]:
    return [(row[0], row[1]) for row in session.execute(keys)]


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
