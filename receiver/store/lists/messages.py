"""The lists of what came, what was read, what callers were told, and what people did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, exists, select

from receiver.store.lists.conditions import ANY_TIME, Between, branches_of, is_branched, is_one_of
from receiver.store.lists.paging import Conditions, Listing, Order
from receiver.store.models import AuditEntry, Delivery, Look, Notification, RequestSet

_UNAPPLIED_MOST = 500


@dataclass(frozen=True)
class MessageFilter:
    """What a list is narrowed to. ``account_ids`` are those that the asker may see."""

    account_ids: Collection[int]
    request_set_id: int | None = None
    verdicts: Sequence[str] = ()
    kinds: Sequence[str] = ()
    causes: Sequence[str] = ()
    states: Sequence[str] = ()
    actions: Sequence[str] = ()
    has_error: bool | None = None
    between: Between = field(default=ANY_TIME)


def notifications(wanted: MessageFilter, *, is_descending: bool = True) -> Listing:
    """Return the notifications to list; ``verdicts`` are those of their sets."""
    of_set = RequestSet.id == Notification.request_set_id
    verdict = exists().where(of_set, RequestSet.verdict.in_(wanted.verdicts))
    # One that was not applied yet does not name its account: its set does.
    is_seen = exists().where(of_set, RequestSet.account_id.in_(wanted.account_ids))
    listing = _listing(
        Notification,
        Notification.received_at,
        wanted,
        is_descending=is_descending,
        is_seen=is_seen,
        residual=(verdict,) if wanted.verdicts else (),
    )
    if wanted.request_set_id is not None:
        return listing
    unapplied = (
        # One that was applied before, and is to be applied once more, is among its account's.
        Notification.account_id.is_(None),
        Notification.id.in_(select(_unapplied().limit(_UNAPPLIED_MOST).subquery().c.id)),
        is_seen,
        *wanted.between.of(Notification.received_at),
    )
    return replace(
        listing,
        branches=[*listing.branches, unapplied],
        is_cut=_unapplied().offset(_UNAPPLIED_MOST).limit(1),
    )


def _unapplied() -> Select[int]:
    """The notifications that no worker has applied, the newest first.

    Should all workers be away, the newest of them still show that notifications come.
    """
    unapplied = select(Notification.id).where(Notification.applied_at.is_(None))
    return unapplied.order_by(Notification.id.desc())


def looks(wanted: MessageFilter, *, is_descending: bool = True) -> Listing:
    """Return the looks to list; ``causes`` are why they were made."""
    return _listing(
        Look,
        Look.started_at,
        wanted,
        is_descending=is_descending,
        residual=(
            *is_one_of(Look.verdict, wanted.verdicts),
            *is_one_of(Look.kind, wanted.kinds),
            *is_one_of(Look.why, wanted.causes),
            *_has_error(wanted),
        ),
    )


def deliveries(wanted: MessageFilter, *, is_descending: bool = True) -> Listing:
    """Return the deliveries to list."""
    by_state = (Delivery.state, wanted.states)
    return _listing(Delivery, Delivery.created_at, wanted, is_descending=is_descending, by=by_state)


def audit_entries(wanted: MessageFilter, *, is_descending: bool = True) -> Listing:
    """Return what people did."""
    return _listing(
        AuditEntry,
        AuditEntry.at,
        wanted,
        is_descending=is_descending,
        residual=is_one_of(AuditEntry.action, wanted.actions),
    )


def _listing(
    model: Any,
    moment: Any,
    wanted: MessageFilter,
    *,
    is_descending: bool,
    by: tuple[Any, Sequence[str]] = (None, ()),
    is_seen: Any = None,
    residual: Conditions = (),
) -> Listing:
    """List a table by a moment of its rows: those of one set, or those of the accounts.

    ``by`` is a column that an index of the accounts holds too, with the values asked for.
    """
    within = wanted.between.of(moment)
    column, values = by
    branches: list[Conditions]
    if wanted.request_set_id is not None:
        seen = model.account_id.in_(wanted.account_ids) if is_seen is None else is_seen
        branches = [(model.request_set_id == wanted.request_set_id, seen)]
        residual = (*residual, *is_one_of(column, values))
    elif is_branched(wanted.account_ids, values):
        branches = branches_of(model.account_id, wanted.account_ids, (column, values))
    else:
        branches = branches_of(model.account_id, wanted.account_ids)
        residual = (*residual, *is_one_of(column, values))
    return Listing(
        list(model.__table__.columns),
        Order(moment, model.id, is_descending=is_descending),
        branches=[(*branch, *within) for branch in branches],
        residual=residual,
    )


def _has_error(wanted: MessageFilter) -> Conditions:
    if wanted.has_error is None:
        return ()
    return (Look.error.is_not(None),) if wanted.has_error else (Look.error.is_(None),)
