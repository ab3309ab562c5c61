"""Statements on edges at Facebook that also hold what others made: what was read of them.

A reading is claimed under a lease, goes on where the last one had to stop, and is merged by id
with our own rows: ours are shown as we know them, and never taken from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, func, or_, select, union, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from receiver.graph.wire import NodeReading
from receiver.store.models import EdgeMember, EdgeReading, Request, RequestSet

COUNTED_MOST = 10_000

Ids = Select[Any]
"""A statement that selects one column of ids."""


@dataclass(frozen=True)
class EdgeName:
    """An edge of an object: an account's sets, or the requests of an ad set or a campaign."""

    object_id: int
    edge: str


@dataclass(frozen=True)
class EdgeClaim:
    """The right to write what a reading shows, and from where it goes on.

    ``walked_at`` is when a reading last began that reached the last page.
    """

    name: EdgeName
    lease: str
    after: str | None
    walked_at: datetime | None


class EdgeLeaseLost(Exception):
    """Somebody else reads the edge, because our lease ran out: nothing of ours may be written."""


def is_due(session: Session, name: EdgeName, *, read_before: datetime) -> bool:
    """Tell whether an edge was not read since that moment."""
    known = read_at(session, name)
    return known is None or known <= read_before


def claim_reading(
    session: Session,
    name: EdgeName,
    *,
    read_before: datetime,
    lease_until: datetime,
    now: datetime,
) -> EdgeClaim | None:
    """Claim an edge that was last read before that moment; None where it is fresh or taken."""
    _insert_if_new(session, EdgeReading, [vars(name)])
    row = session.execute(
        select(EdgeReading)
        .where(
            *_is(EdgeReading, name),
            or_(EdgeReading.read_at.is_(None), EdgeReading.read_at <= read_before),
            or_(EdgeReading.lease_expires_at.is_(None), EdgeReading.lease_expires_at <= now),
        )
        .with_for_update(skip_locked=True, key_share=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    row.lease_token = secrets.token_hex(16)
    row.lease_expires_at = lease_until
    return EdgeClaim(name, lease=row.lease_token, after=row.after, walked_at=row.walked_at)


def keep_page(
    session: Session,
    claim: EdgeClaim,
    nodes: Sequence[NodeReading],
    *,
    after: str | None,
    read_at: datetime,
    lease_until: datetime,
) -> bool:
    """Keep a page's nodes and the cursor behind it. Returns whether it showed anything new.

    A node that was final is never overwritten. Raises EdgeLeaseLost.
    """
    _write(session, claim, {"after": after, "lease_expires_at": lease_until})
    ids = [node.id for node in nodes]
    known = session.execute(
        select(EdgeMember.member_id, EdgeMember.is_final).where(
            *_is(EdgeMember, claim.name), EdgeMember.member_id.in_(ids)
        )
    ).all()
    final = {row.member_id for row in known if row.is_final}
    rows = [
        {
            **vars(claim.name),
            "member_id": node.id,
            "is_final": node.is_final,
            "record": node.record,
            "read_at": read_at,
        }
        for node in nodes
        if node.id not in final
    ]
    if rows:
        _put_members(session, rows)
    return bool(rows)


def finish_reading(
    session: Session,
    claim: EdgeClaim,
    *,
    read_at: datetime | None,
    walked_at: datetime | None,
    after: str | None,
) -> None:
    """Let go of an edge. ``read_at`` is None for a reading that goes on at ``after``.

    Raises EdgeLeaseLost.
    """
    values: dict[str, Any] = {"after": after, "lease_token": None, "lease_expires_at": None}
    if read_at is not None:
        values["read_at"] = read_at
    if walked_at is not None:
        values["walked_at"] = walked_at
    _write(session, claim, values)


def read_at(session: Session, name: EdgeName) -> datetime | None:
    """Return when an edge was last read, None for never."""
    return session.execute(
        select(EdgeReading.read_at).where(*_is(EdgeReading, name))
    ).scalar_one_or_none()


def set_ids(
    session: Session,
    name: EdgeName,
    *,
    own_edges: Collection[str],
    is_completed: bool | None,
    after: int | None,
    before: int | None,
    limit: int,
) -> list[int]:
    """Return ids of an account's sets, ours and others', newest first, beside a cursor."""
    sides = _sets(name, own_edges=own_edges, is_completed=is_completed)
    return _beside(session, sides, after=after, before=before, limit=limit, is_falling=True)


def count_sets(
    session: Session, name: EdgeName, *, own_edges: Collection[str], is_completed: bool | None
) -> int | None:
    """Count an account's sets; None for more than COUNTED_MOST, which nobody waits for."""
    return _count(session, _sets(name, own_edges=own_edges, is_completed=is_completed))


def _sets(
    name: EdgeName, *, own_edges: Collection[str], is_completed: bool | None
) -> tuple[Ids, Ids]:
    own = select(RequestSet.facebook_id.label("id")).where(
        RequestSet.account_id == name.object_id,
        RequestSet.edge.in_(own_edges),
        RequestSet.facebook_id.is_not(None),
    )
    is_own = select(RequestSet.id).where(RequestSet.facebook_id == EdgeMember.member_id).exists()
    others = select(EdgeMember.member_id.label("id")).where(*_is(EdgeMember, name), ~is_own)
    if is_completed is not None:
        is_collected = RequestSet.collected_at.is_not(None)
        own = own.where(is_collected if is_completed else ~is_collected)
        others = others.where(EdgeMember.is_final == is_completed)
    return own, others


def request_ids(
    session: Session,
    name: EdgeName,
    *,
    account_ids: Collection[int],
    after: int | None,
    before: int | None,
    limit: int,
) -> list[int]:
    """Return ids of the requests for an object's ads, ours and others', beside a cursor."""
    sides = _requests(name, account_ids=account_ids)
    return _beside(session, sides, after=after, before=before, limit=limit, is_falling=False)


def count_requests(session: Session, name: EdgeName, *, account_ids: Collection[int]) -> int | None:
    """Count the requests for an object's ads; None for more than COUNTED_MOST."""
    return _count(session, _requests(name, account_ids=account_ids))


def _requests(name: EdgeName, *, account_ids: Collection[int]) -> tuple[Ids, Ids]:
    own = (
        select(Request.id.label("id"))
        .join(RequestSet, RequestSet.id == Request.request_set_id)
        .where(Request.scope_object_id == name.object_id, RequestSet.account_id.in_(account_ids))
    )
    others = select(EdgeMember.member_id.label("id")).where(*_is(EdgeMember, name))
    return own, others


def _count(session: Session, sides: tuple[Ids, Ids]) -> int | None:
    first = union(*sides).subquery()
    some = select(first.c.id).limit(COUNTED_MOST + 1).subquery()
    count: int = session.execute(select(func.count()).select_from(some)).scalar_one()
    return count if count <= COUNTED_MOST else None


def _beside(
    session: Session,
    sides: tuple[Ids, Ids],
    *,
    after: int | None,
    before: int | None,
    limit: int,
    is_falling: bool,
) -> list[int]:
    """Merge two sides by id: of each only as many are read as a page may need."""
    backwards = after is None and before is not None
    falls = is_falling != backwards
    position = before if backwards else after
    nearest = [
        _nearest(side, position=position, falls=falls, limit=limit).subquery() for side in sides
    ]
    merged = union(*(select(each.c.id) for each in nearest)).subquery()
    order = merged.c.id.desc() if falls else merged.c.id.asc()
    found = list(session.execute(select(merged.c.id).order_by(order).limit(limit)).scalars())
    return found[::-1] if backwards else found


def _nearest(side: Ids, *, position: int | None, falls: bool, limit: int) -> Ids:
    (column,) = side.selected_columns
    ids = column.element if isinstance(column, Label) else column
    if position is not None:
        side = side.where(ids < position if falls else ids > position)
    return side.order_by(ids.desc() if falls else ids.asc()).limit(limit)


def records(session: Session, name: EdgeName, *, ids: Collection[int]) -> dict[int, bytes]:
    """Return the kept JSON of an edge's members by their ids."""
    rows = session.execute(
        select(EdgeMember.member_id, EdgeMember.record).where(
            *_is(EdgeMember, name), EdgeMember.member_id.in_(ids)
        )
    )
    return {row.member_id: row.record for row in rows}


def _is(model: type[EdgeMember | EdgeReading], name: EdgeName) -> tuple[ColumnElement[bool], ...]:
    return (model.object_id == name.object_id, model.edge == name.edge)


def _write(session: Session, claim: EdgeClaim, values: dict[str, Any]) -> None:
    written = session.execute(
        update(EdgeReading)
        .where(*_is(EdgeReading, claim.name), EdgeReading.lease_token == claim.lease)
        .values(**values)
        .returning(EdgeReading.object_id)
    ).first()
    if written is None:
        raise EdgeLeaseLost


def _insert_if_new(session: Session, model: Any, rows: list[dict[str, Any]]) -> None:
    session.execute(_insert(session, model).on_conflict_do_nothing(), rows)


def _put_members(session: Session, rows: list[dict[str, Any]]) -> None:
    statement = _insert(session, EdgeMember)
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[EdgeMember.object_id, EdgeMember.edge, EdgeMember.member_id],
            set_={name: new[name] for name in ("is_final", "record", "read_at")},
            where=EdgeMember.read_at <= new.read_at,
        ),
        rows,
    )


def _insert(session: Session, model: Any) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
