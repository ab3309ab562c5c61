"""Statements on searches: which submissions are looked for together, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from receiver.store import claims, due, intents
from receiver.store.claims import Claim
from receiver.store.intents import Attempt
from receiver.store.models import Notification, RequestSet, Submission

_OF_ITS_SET = and_(
    Submission.request_set_id == RequestSet.id, Submission.attempt == RequestSet.attempt
)
_LATER_MOST = 2000
_NOTIFICATIONS_MOST = 5


@dataclass(frozen=True)
class Sent:
    """A submission as it stands in SQL. ``over_at``: it was not sent after that moment."""

    id: int
    attempt: Attempt
    credential_id: int
    written_at: datetime
    send_before: datetime
    over_at: datetime
    settles_from: datetime | None

    def is_later_than(self, other: Sent) -> bool:
        """Tell whether this one was written after the other was surely sent."""
        return self.id > other.id and self.written_at > other.over_at


@dataclass(frozen=True)
class Recheck:
    """A set that was sent more than once, claimed to see whether Facebook has it twice."""

    request_set_id: int
    account_id: int
    edge: str
    sent: Sent
    opened_at: datetime | None
    due: datetime


def newest(session: Session, request_set_ids: Collection[int]) -> dict[int, Sent]:
    """Return the newest submission of each of some intents."""
    rows = session.scalars(
        select(Submission).join(RequestSet, _OF_ITS_SET).where(RequestSet.id.in_(request_set_ids))
    )
    return {row.request_set_id: _sent(row) for row in rows}


def _sent(row: Submission) -> Sent:
    return Sent(
        id=row.id,
        attempt=Attempt(row.request_set_id, number=row.attempt),
        credential_id=row.credential_id,
        written_at=row.created_at,
        send_before=row.send_before,
        over_at=row.answered_at or row.send_before,
        settles_from=row.settles_from,
    )


def newest_of_account(session: Session, account_id: int, *, edges: Collection[str]) -> list[Sent]:
    """Return the newest submissions of an account on some edges, newest first."""
    rows = session.scalars(
        select(Submission)
        .join(RequestSet, RequestSet.id == Submission.request_set_id)
        .where(RequestSet.account_id == account_id, RequestSet.edge.in_(edges))
        .order_by(Submission.id.desc())
        .limit(_LATER_MOST)
    )
    return [_sent(row) for row in rows]


def are_notified(session: Session, request_set_ids: Collection[int]) -> set[int]:
    """Return those of some intents of which a notification came."""
    return set(
        session.scalars(
            select(Notification.request_set_id)
            .where(Notification.request_set_id.in_(request_set_ids))
            .distinct()
        )
    )


def notified(session: Session, request_set_id: int) -> list[tuple[bytes, str]]:
    """Return the bodies and queries of an intent's newest notifications."""
    rows = session.execute(
        select(Notification.body, Notification.query)
        .where(Notification.request_set_id == request_set_id)
        .order_by(Notification.id.desc())
        .limit(_NOTIFICATIONS_MOST)
    )
    return [(row.body, row.query) for row in rows]


def claim_companions(
    session: Session,
    claim: Claim,
    *,
    edges: Collection[str],
    credential_id: int,
    next_look_at: Callable[[int], datetime],
    lease_until: datetime,
    now: datetime,
    most: int,
) -> list[Claim]:
    """Claim what else is due to be looked for on the pages that a claim's search will read.

    These are intents of the same account and edges, sent with the same credential. They are held
    under the same lease.
    """
    rows = session.scalars(
        select(RequestSet)
        .join(Submission, _OF_ITS_SET)
        .where(
            RequestSet.account_id == claim.account_id,
            RequestSet.edge.in_(edges),
            intents.is_in(intents.WITHOUT_OUTCOME),
            RequestSet.id != claim.request_set_id,
            RequestSet.absent_at.is_(None),
            RequestSet.look_at <= now,
            due.is_unclaimed(now),
            Submission.credential_id == credential_id,
        )
        .order_by(RequestSet.id)
        .limit(most)
        .with_for_update(of=RequestSet, skip_locked=True, key_share=True)
    ).all()
    return [
        claims.claim_row(row, next_look_at=next_look_at, lease_until=lease_until, lease=claim.lease)
        for row in rows
    ]


def hold_all(session: Session, claim: Claim, *, lease_until: datetime) -> None:
    """Extend the lease of a claim and of those that are held with it.

    It waits for nobody: what is locked, because it is hinted just now, is extended the next time.
    """
    held = (
        select(RequestSet.id)
        .where(
            RequestSet.lease_token == claim.lease,
            RequestSet.account_id == claim.account_id,
            # What is held is due one day: what is not, which are most, need not be read.
            RequestSet.look_at.is_not(None),
        )
        .with_for_update(skip_locked=True, key_share=True)
    )
    session.execute(
        update(RequestSet)
        .where(RequestSet.id.in_(held), RequestSet.lease_token == claim.lease)
        .values(lease_expires_at=lease_until)
    )


def settle_from(session: Session, submission_ids: Collection[int], *, date: datetime) -> None:
    """Write Facebook's time when it was first asked for these after their senders were gone."""
    session.execute(
        update(Submission)
        .where(Submission.id.in_(submission_ids), Submission.settles_from.is_(None))
        .values(settles_from=date)
    )


def unopened(session: Session, request_set_ids: Collection[int]) -> list[Attempt]:
    """Return the current attempts of those of some intents whose id at Facebook is not known."""
    rows = session.execute(
        select(RequestSet.id, RequestSet.attempt).where(
            RequestSet.id.in_(request_set_ids), RequestSet.facebook_id.is_(None)
        )
    )
    return [Attempt(row.id, number=row.attempt) for row in rows]


def is_recheck_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a set that was sent twice is to be looked for in the plural."""
    first = select(RequestSet.id).where(RequestSet.recheck_at <= now).limit(1)
    return session.execute(first).first() is not None


def claim_recheck(session: Session, *, now: datetime, again_at: datetime) -> Recheck | None:
    """Claim a set that was sent twice and is to be looked for in the plural; None without one.

    It is due again at ``again_at``, should whoever claimed it vanish.
    """
    row = session.scalars(
        select(RequestSet)
        .where(RequestSet.recheck_at <= now, ~due.account_waits(now))
        .order_by(RequestSet.recheck_at)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    ).one_or_none()
    if row is None:
        return None
    row.recheck_at = again_at
    return Recheck(
        row.id,
        row.account_id,
        edge=row.edge,
        sent=newest(session, [row.id])[row.id],
        opened_at=row.opened_at,
        due=again_at,
    )


def finish_recheck(session: Session, recheck: Recheck, *, recheck_at: datetime | None) -> None:
    """Write when it is rechecked again; None for never."""
    session.execute(
        update(RequestSet)
        .where(RequestSet.id == recheck.request_set_id, RequestSet.recheck_at == recheck.due)
        .values(recheck_at=recheck_at)
    )
