"""Statements on claims: which set is due, and the lease under which one worker has it.

Every write of ``look_at`` is conditional on the value that the claim itself wrote, so that a hint
which comes meanwhile is never lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import cast

from sqlalchemy import Table, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from receiver.store import due, intents
from receiver.store.models import RequestSet

_COUNTED_MOST = 10_000


class LeaseLost(Exception):
    """Another worker claimed the set after our lease ran out: nothing of ours may be written.

    ``calls`` is how many HTTP calls had been made for it.
    """

    calls: int = 0


@dataclass(frozen=True)
class Claim:
    """The right to write a step's outcome, and the set as it stood at the claim.

    ``beside`` are sets of the same account that were claimed with it, under the same lease.
    """

    request_set_id: int
    account_id: int
    attempt: int
    state: str
    state_reason: str | None
    absent_at: datetime | None
    created_at: datetime
    edge: str
    name: str
    facebook_id: int | None
    uri_pending: bool
    spec_count: int
    counts: tuple[int | None, ...]
    opened_at: datetime | None
    etag: str | None
    completed_at: datetime | None
    collected_at: datetime | None
    hinted_at: datetime | None
    page_limit: int | None
    page_after: str | None
    quiet_looks: int
    why: str
    lease: str
    look_at: datetime
    beside: tuple[Claim, ...] = ()

    @property
    def may_be_sent_again(self) -> bool:
        """Whether the last attempt is proved absent, and nothing spoke for it since."""
        return (
            self.state == intents.UNKNOWN
            and self.absent_at is not None
            and (self.hinted_at is None or self.hinted_at <= self.absent_at)
        )


def claim_due(
    session: Session,
    account_ids: Sequence[int],
    *,
    now: datetime,
    lease_until: datetime,
    next_look_at: Callable[[int], datetime],
) -> Claim | None:
    """Claim the set that has been due for longest of the first account with one, or return None.

    ``next_look_at`` gives, for the number of quiet looks, when the set is due again should this
    claim's holder vanish. Sets of an account that Facebook asked to wait are passed over, and so
    are those that somebody has locked at this moment.
    """
    for account_id in account_ids:
        row = session.execute(
            select(RequestSet)
            .where(RequestSet.look_at <= now, *due.is_free_of(account_id, now=now))
            .order_by(RequestSet.look_at)
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
        ).scalar_one_or_none()
        if row is not None:
            return claim_row(row, next_look_at=next_look_at, lease_until=lease_until)
    return None


def claim_beside(
    session: Session,
    claim: Claim,
    *,
    now: datetime,
    due_before: datetime,
    lease_until: datetime,
    next_look_at: Callable[[int], datetime],
    most: int,
) -> list[Claim]:
    """Claim what else of a claim's account is at work and due before a moment, longest due first.

    They are held under the same lease.
    """
    rows = session.scalars(
        select(RequestSet)
        .where(
            RequestSet.facebook_id.is_not(None),
            RequestSet.id != claim.request_set_id,
            RequestSet.look_at <= due_before,
            *due.is_free_of(claim.account_id, now=now),
        )
        .order_by(RequestSet.look_at)
        .limit(most)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    return [
        claim_row(row, next_look_at=next_look_at, lease_until=lease_until, lease=claim.lease)
        for row in rows
    ]


@dataclass(frozen=True)
class DueSet:
    """A set with an id that is due, as it would be claimed."""

    request_set_id: int
    edge: str
    state: str
    why: str
    uri_pending: bool
    quiet_looks: int


def due_sets(session: Session, account_id: int, *, due_before: datetime, most: int) -> list[DueSet]:
    """Return an account's sets with an id that are due before a moment, longest due first."""
    rows = session.scalars(
        select(RequestSet)
        .where(
            RequestSet.account_id == account_id,
            RequestSet.facebook_id.is_not(None),
            RequestSet.look_at <= due_before,
        )
        .order_by(RequestSet.look_at)
        .limit(most)
    )
    return [
        DueSet(
            row.id,
            edge=row.edge,
            state=row.state,
            why=_why(row),
            uri_pending=row.uri_pending,
            quiet_looks=row.quiet_looks + 1,
        )
        for row in rows
    ]


def count_searched(session: Session, account_id: int, *, due_before: datetime) -> int:
    """Count an account's sets without an id that are due to be looked for."""
    searched = (
        select(RequestSet.id)
        .where(
            RequestSet.account_id == account_id,
            RequestSet.facebook_id.is_(None),
            RequestSet.look_at <= due_before,
        )
        # In this order, SQLite does not read all sets that have no id, whose ever they are.
        .order_by(RequestSet.look_at)
        .limit(_COUNTED_MOST)
        .subquery()
    )
    return session.execute(select(func.count()).select_from(searched)).scalar_one()


def claim_row(
    row: RequestSet,
    *,
    next_look_at: Callable[[int], datetime],
    lease_until: datetime,
    lease: str | None = None,
) -> Claim:
    """Write a worker's claim on a locked row, and return it; ``lease`` is one that it shares."""
    row.quiet_looks += 1
    look_at = max(lease_until, next_look_at(row.quiet_looks))
    return _claim(row, look_at=look_at, lease_until=lease_until, why=_why(row), lease=lease)


def claim_for_reader(
    session: Session,
    request_set_id: int,
    *,
    now: datetime,
    lease_until: datetime,
    read_before: datetime | None,
) -> Claim | None:
    """Claim a set at work whose caller wants to read it, or return None.

    None where it was looked at after ``read_before``, where somebody has it, and where its account
    waits. It does not count as a quiet look: whoever asks often must not put off the worker's.
    """
    known_at = func.coalesce(RequestSet.looked_at, RequestSet.opened_at)
    row = session.execute(
        select(RequestSet)
        .where(
            RequestSet.id == request_set_id,
            RequestSet.state.in_((intents.OPEN, intents.COMPLETED)),
            *([] if read_before is None else [known_at <= read_before]),
            due.is_unclaimed(now),
            ~due.account_waits(now),
        )
        .with_for_update(skip_locked=True, key_share=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    return _claim(row, look_at=lease_until, lease_until=lease_until, why="read")


def _why(row: RequestSet) -> str:
    hinted = row.hinted_at is not None and (row.looked_at is None or row.hinted_at >= row.looked_at)
    return "notification" if hinted else "poll"


def _claim(
    row: RequestSet,
    *,
    look_at: datetime,
    lease_until: datetime,
    why: str,
    lease: str | None = None,
) -> Claim:
    """Write a claim on a row, and return it."""
    row.lease_token = lease or secrets.token_hex(16)
    row.lease_expires_at = lease_until
    row.look_at = look_at
    return Claim(
        request_set_id=row.id,
        account_id=row.account_id,
        attempt=row.attempt,
        state=row.state,
        state_reason=row.state_reason,
        absent_at=row.absent_at,
        created_at=row.created_at,
        edge=row.edge,
        name=row.name,
        facebook_id=row.facebook_id,
        uri_pending=row.uri_pending,
        spec_count=row.spec_count,
        counts=(
            row.initial_count,
            row.in_progress_count,
            row.success_count,
            row.error_count,
            row.canceled_count,
        ),
        opened_at=row.opened_at,
        etag=row.etag,
        completed_at=row.completed_at,
        collected_at=row.collected_at,
        hinted_at=row.hinted_at,
        page_limit=row.page_limit,
        page_after=row.page_after,
        quiet_looks=row.quiet_looks,
        why=why,
        lease=row.lease_token,
        look_at=look_at,
    )


def let_go(session: Session, claim: Claim, *, due_at: Callable[[int], datetime]) -> int:
    """Let go of all that is still held under a claim's lease; return how many sets that were.

    ``due_at`` gives, for the number of quiet looks, when a set is due again. One that is due sooner
    stays so: whoever made it due since the claim is heard.
    """
    rows = session.scalars(
        select(RequestSet)
        .where(
            RequestSet.account_id == claim.account_id,
            RequestSet.look_at.is_not(None),
            RequestSet.lease_token == claim.lease,
        )
        .order_by(RequestSet.id)
        .with_for_update(key_share=True)
    ).all()
    for row in rows:
        if row.look_at is not None:
            row.look_at = min(row.look_at, due_at(row.quiet_looks))
        row.lease_token = row.lease_expires_at = None
    return len(rows)


def hold(session: Session, claim: Claim, *, lease_until: datetime) -> None:
    """Extend the lease, first thing in a transaction that writes a step's outcome.

    It locks the set's row too: no hint is applied between what the transaction reads and what it
    writes. Raises LeaseLost.
    """
    write_held(session, claim, {"lease_expires_at": lease_until})


def write_held(session: Session, claim: Claim, values: dict[str, object]) -> None:
    """Write a set's columns under the lease of its claim. Raises LeaseLost."""
    written = session.execute(
        update(RequestSet)
        .where(RequestSet.id == claim.request_set_id, RequestSet.lease_token == claim.lease)
        .values(**values)
        .returning(RequestSet.id)
    ).first()
    if written is None:
        raise LeaseLost


def hold_each(session: Session, claims: Sequence[Claim], *, lease_until: datetime) -> set[int]:
    """Extend the leases of some claims as ``hold`` does; return the sets that are still held.

    They are locked in one order, so that two workers never wait for each other in turn.
    """
    leases = {claim.request_set_id: claim.lease for claim in claims}
    rows = session.execute(
        select(RequestSet.id, RequestSet.lease_token)
        .where(RequestSet.id.in_(leases))
        .order_by(RequestSet.id)
        .with_for_update(key_share=True)
    )
    tokens = {row.id: row.lease_token for row in rows}
    held = [claim for claim in claims if claim.lease == tokens.get(claim.request_set_id)]
    write_held_each(session, [(claim, {"lease_expires_at": lease_until}) for claim in held])
    return {claim.request_set_id for claim in held}


def write_held_each(session: Session, writes: Sequence[tuple[Claim, Mapping[str, object]]]) -> None:
    """Write columns of some sets under the leases of their claims. Raises LeaseLost."""
    for names, alike in groupby(writes, key=lambda write: tuple(write[1])):
        parameters = [
            {
                "held_id": claim.request_set_id,
                "held_lease": claim.lease,
                **{f"new_{name}": value for name, value in values.items()},
            }
            for claim, values in alike
        ]
        written = session.connection().execute(_held_update(names), parameters)
        if written.rowcount != len(parameters):
            raise LeaseLost


def _held_update(names: Sequence[str]) -> Update:
    columns = RequestSet.__table__.c
    is_held = (
        columns.id == bindparam("held_id", type_=columns.id.type),
        columns.lease_token == bindparam("held_lease", type_=columns.lease_token.type),
    )
    values = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    return update(cast("Table", RequestSet.__table__)).where(*is_held).values(values)
