"""The list of request sets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column

from receiver.store import intents
from receiver.store.lists.conditions import ANY_TIME, Between, branches_of, is_branched, is_one_of
from receiver.store.lists.paging import Conditions, Listing, Order
from receiver.store.models import RequestSet

SORTS = ("created_at", "completed_at")
COLUMNS = [
    column for column in RequestSet.__table__.columns if column.name not in ("ad_specs", "row_keys")
]


@dataclass(frozen=True)
class SetFilter:
    """What the list is narrowed to. ``account_ids`` are those that the asker may see.

    ``late_at`` asks for what was past its deadline, without an end, at that moment; ``name`` for
    names that hold a text, in any case. Sorted by ``completed_at``, only complete sets are listed.
    """

    account_ids: Collection[int]
    numbers: Sequence[int] = ()
    facebook_id: int | None = None
    parent_id: int | None = None
    states: Sequence[str] = ()
    verdicts: Sequence[str] = ()
    edges: Sequence[str] = ()
    learned_by: Sequence[str] = ()
    name: str | None = None
    created: Between = field(default=ANY_TIME)
    completed: Between = field(default=ANY_TIME)
    late_at: datetime | None = None
    has_errors: bool | None = None


def listing(wanted: SetFilter, *, sort: str = "created_at", is_descending: bool = True) -> Listing:
    """Return what to list: the most selective filter that an index serves leads."""
    order = Order(getattr(RequestSet, sort), RequestSet.id, is_descending=is_descending)
    filters = _filters(wanted)
    leading = _leading(wanted, sort=sort)
    branches = _branches(wanted, leading)
    of_sort = (wanted.completed if sort == "completed_at" else wanted.created).of(order.column)
    if sort == "completed_at":
        of_sort = (*of_sort, RequestSet.completed_at.is_not(None))
    other = (
        wanted.created.of(RequestSet.created_at)
        if sort == "completed_at"
        else wanted.completed.of(RequestSet.completed_at)
    )
    rest = [condition for name, each in filters.items() if name != leading for condition in each]
    return Listing(
        COLUMNS,
        order,
        branches=[(*branch, *of_sort) for branch in branches],
        residual=(*rest, *other),
    )


def _filters(wanted: SetFilter) -> dict[str, Conditions]:
    """Every condition but accounts and times, by the name of its filter."""
    return {
        "numbers": is_one_of(RequestSet.id, wanted.numbers),
        "facebook_id": _equals(RequestSet.facebook_id, wanted.facebook_id),
        "parent_id": _equals(RequestSet.parent_id, wanted.parent_id),
        "has_errors": _has_errors(wanted),
        "verdicts": is_one_of(RequestSet.verdict, wanted.verdicts),
        "states": is_one_of(RequestSet.state, wanted.states),
        "edges": is_one_of(RequestSet.edge, wanted.edges),
        "learned_by": is_one_of(RequestSet.learned_by, wanted.learned_by),
        "name": _holds(wanted.name),
        "end": _has_no_end(wanted),
        "late": _is_late(wanted),
    }


def _leading(wanted: SetFilter, *, sort: str) -> str:
    """Return the filter that the branches are made of; the account alone where there is none."""
    asked = {
        "numbers": bool(wanted.numbers),
        "facebook_id": wanted.facebook_id is not None,
        "parent_id": wanted.parent_id is not None,
        # From here on an index holds them in the order of created_at only.
        "account": sort == "completed_at",
        "end": wanted.late_at is not None,
        "has_errors": bool(wanted.has_errors),
        "states": is_branched(wanted.account_ids, wanted.states),
        "verdicts": is_branched(wanted.account_ids, wanted.verdicts),
    }
    return next((name for name, is_asked in asked.items() if is_asked), "account")


def _branches(wanted: SetFilter, leading: str) -> list[Conditions]:
    account, account_ids = RequestSet.account_id, wanted.account_ids
    if leading == "states":
        return branches_of(account, account_ids, (RequestSet.state, wanted.states))
    if leading == "verdicts":
        return branches_of(account, account_ids, (RequestSet.verdict, wanted.verdicts))
    if leading in ("has_errors", "end"):
        of_each = branches_of(account, account_ids)
        return [(*branch, *_filters(wanted)[leading]) for branch in of_each]
    if leading == "account":
        return branches_of(account, account_ids)
    # A number names few rows, whoever they belong to.
    return [(account.in_(account_ids), *_filters(wanted)[leading])]


def _equals(column: Any, value: int | None) -> Conditions:
    return () if value is None else (column == value,)


def _has_errors(wanted: SetFilter) -> Conditions:
    if wanted.has_errors is None:
        return ()
    if wanted.has_errors:
        # In the words that the partial index is made with.
        return (RequestSet.error_count > literal_column("0"),)
    return (func.coalesce(RequestSet.error_count, 0) == 0,)


def _has_no_end(wanted: SetFilter) -> Conditions:
    """Of a late set, that it has no end is part of the question, and few have none."""
    return () if wanted.late_at is None else (~intents.is_in(intents.ENDED),)


def _is_late(wanted: SetFilter) -> Conditions:
    if wanted.late_at is None:
        return ()
    return (RequestSet.deadline_at <= wanted.late_at, RequestSet.collected_at.is_(None))


def _holds(text: str | None) -> Conditions:
    return () if text is None else (RequestSet.name.icontains(text, autoescape=True),)
