"""Statements on what is sent again, or given up by a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from receiver.store import intents, statistics
from receiver.store.claims import Claim, LeaseLost
from receiver.store.intents import Attempt, NewIntent
from receiver.store.models import RequestSet, Submission


def mark_absent(session: Session, claim: Claim, *, now: datetime) -> None:
    """Write that Facebook has nothing of a claimed intent's last attempt: it may be sent again.

    Whatever spoke for it since the claim keeps it from that. Raises LeaseLost.
    """
    written = session.execute(
        update(RequestSet)
        .where(
            *_is_held(claim),
            RequestSet.state.in_(intents.UNOPENED),
            RequestSet.hinted_at.is_not_distinct_from(claim.hinted_at),
        )
        .values(
            **intents.RELEASED,
            state=intents.UNKNOWN,
            state_reason="Facebook is proved not to have it: it is sent again.",
            absent_at=now,
            look_at=now,
        )
        .returning(RequestSet.id)
    ).first()
    if written is None:
        raise LeaseLost
    session.execute(
        update(Submission)
        .where(
            Submission.request_set_id == claim.request_set_id,
            Submission.attempt == claim.attempt,
            Submission.facebook_id.is_(None),
        )
        .values(outcome=intents.ABSENT)
    )


def begin_again(
    session: Session,
    claim: Claim,
    *,
    credential_id: int,
    signing_key_id: str,
    send_before: datetime,
    look_at: datetime,
    now: datetime,
) -> Attempt:
    """Go from unknown back to submitting: one conditional UPDATE, and the next submission's row.

    Whatever becomes of it, it is looked for in the plural later.
    Raises LeaseLost where the claim is gone, or where anything spoke for the last attempt since.
    """
    attempt = Attempt(claim.request_set_id, number=claim.attempt + 1)
    written = session.execute(
        update(RequestSet)
        .where(
            *_is_held(claim),
            RequestSet.state == intents.UNKNOWN,
            RequestSet.facebook_id.is_(None),
            RequestSet.absent_at.is_not(None),
            RequestSet.hinted_at.is_not_distinct_from(claim.hinted_at),
        )
        .values(
            **intents.RELEASED,
            state=intents.SUBMITTING,
            state_reason=None,
            attempt=attempt.number,
            absent_at=None,
            recheck_at=now + intents.RECHECKED_AFTER,
            look_at=look_at,
        )
        .returning(RequestSet.id)
    ).first()
    if written is None:
        raise LeaseLost
    intents.add_submission(
        session,
        attempt,
        credential_id=credential_id,
        signing_key_id=signing_key_id,
        send_before=send_before,
        now=now,
    )
    return attempt


def postpone(
    session: Session, attempt: Attempt, *, reason: str, look_at: datetime, now: datetime
) -> None:
    """Write that nothing of an attempt came to be, and that the intent is to be sent again later.

    Its caller was told long ago that the receiver sees to it, so a limit or a token that is out of
    date does not end it.
    """
    intents.write_outcome(session, attempt, outcome=intents.REJECTED, error=reason, now=now)
    values = {
        **intents.RELEASED,
        "state": intents.UNKNOWN,
        "state_reason": f"It is sent again later: {reason}",
        "absent_at": now,
        "look_at": look_at,
    }
    intents.settle(session, attempt, intents.UNOPENED, values)


def find_intent(session: Session, request_set_id: int) -> NewIntent:
    """Return an intent as it was asked for."""
    row = session.execute(
        select(
            RequestSet.account_id,
            RequestSet.api_key_id,
            RequestSet.edge,
            RequestSet.name,
            RequestSet.ad_specs,
            RequestSet.spec_count,
            RequestSet.caller_notification_uri,
            RequestSet.caller_notification_mode,
        ).where(RequestSet.id == request_set_id)
    ).one()
    return NewIntent(
        account_id=row.account_id,
        api_key_id=row.api_key_id,
        edge=row.edge,
        name=row.name,
        ad_specs=row.ad_specs,
        spec_count=row.spec_count,
        notification_uri=row.caller_notification_uri,
        notification_mode=row.caller_notification_mode,
    )


def abandon(session: Session, request_set_id: int, *, reason: str, now: datetime) -> bool:
    """Give up an intent without an outcome: it is never sent again. False where it has one.

    Evidence that comes later still opens it. One that may be on its way cannot be given up.
    """
    written = session.execute(
        update(RequestSet)
        .where(
            RequestSet.id == request_set_id,
            RequestSet.state.in_((intents.UNKNOWN, intents.STUCK)),
            RequestSet.facebook_id.is_(None),
        )
        .values(
            **intents.RELEASED,
            state=intents.REJECTED,
            state_reason=reason,
            abandoned_at=now,
            absent_at=None,
            # A notification that came before says that Facebook has the set all the same: it is
            # looked for as often as if it had come now.
            look_at=intents.due_if_hinted(now, otherwise=None),
            quiet_looks=0,
        )
        .returning(RequestSet.id)
    ).first()
    if written is not None:
        statistics.count_rejected(session, request_set_id, now=now)
    return written is not None


def lock_as_read(session: Session, attempt: Attempt, *, state: str) -> bool:
    """Lock an intent without Facebook's id; False where it went on since it was read like this."""
    found = session.execute(
        select(RequestSet.id)
        .where(
            RequestSet.id == attempt.request_set_id,
            RequestSet.attempt == attempt.number,
            RequestSet.state == state,
            RequestSet.facebook_id.is_(None),
        )
        .with_for_update(key_share=True)
    ).first()
    return found is not None


def keep_looking(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Look for an open intent's sets in the plural later: nothing of the one it has names it."""
    session.execute(
        update(RequestSet)
        .where(RequestSet.id == request_set_id)
        .values(recheck_at=now + intents.RECHECKED_AFTER)
    )


def _is_held(claim: Claim) -> tuple[Any, ...]:
    return (
        RequestSet.id == claim.request_set_id,
        RequestSet.attempt == claim.attempt,
        RequestSet.lease_token == claim.lease,
    )
