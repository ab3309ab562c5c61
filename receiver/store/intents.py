"""Statements on intents and their submissions: what was asked for, and how the sending ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Case, ColumnElement, case, func, literal, literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import AD_SETS_EDGE, BATCHES_EDGE
from receiver.store import after_all, lineage, statistics
from receiver.store.models import FoundSet, RequestSet, Submission
from receiver.store.types import UTCDateTime

SUBMITTING = "submitting"
UNKNOWN = "unknown"
REJECTED = "rejected"
OPEN = "open"
COMPLETED = "completed"
COLLECTED = "collected"
STUCK = "stuck"
STATES = (SUBMITTING, UNKNOWN, REJECTED, OPEN, COMPLETED, COLLECTED, STUCK)

ABSENT = "absent"
"""The outcome of a submission of which Facebook is proved to have nothing."""

RELEASED: dict[str, object] = {"lease_token": None, "lease_expires_at": None}
"""What ends a claim: that of its own holder, or of whoever looks for what was answered since."""

RECHECKED_AFTER = timedelta(hours=1)
"""How soon a set that was sent twice, or adopted without a name, is looked for in the plural."""

UNOPENED = (SUBMITTING, UNKNOWN)
"""The states in which Facebook's id of the set is not known, and may still come."""

DECIDED = (REJECTED, STUCK)
"""The states that evidence from Facebook led to; only other evidence from there leads out."""

WITHOUT_OUTCOME = (*UNOPENED, STUCK)
"""The states in which nobody knows whether Facebook has the set."""

ENDED = (COLLECTED, REJECTED)
"""The states in which nothing more is to come."""

SEARCHED = (*UNOPENED, *DECIDED)
"""The states without Facebook's id: what is due of them is looked for on its account's edge."""


def is_in(states: Collection[str]) -> ColumnElement[bool]:
    """Whether a set is in one of these states, in words that the partial indexes are made with.

    A database that gets them as parameters cannot tell that such an index serves.
    """
    return RequestSet.state.in_([literal_column(f"'{state}'") for state in states])


@dataclass(frozen=True)
class NewIntent:
    """What a caller asks for. ``ad_specs`` is JSON: of what, the edge tells.

    ``twin_of`` is another caller's intent that asks for the same and has no outcome yet.
    ``row_keys`` is a JSON list of what the caller calls each of its specs, in their order.
    ``resubmits`` are the failed requests of the set ``parent_id`` that its specs send again.
    """

    account_id: int
    api_key_id: int | None
    name: str
    ad_specs: bytes
    spec_count: int
    notification_uri: str | None
    notification_mode: str
    edge: str = AD_SETS_EDGE
    idempotency_key: str | None = None
    parameters_hash: bytes | None = None
    twin_of: int | None = None
    parent_id: int | None = None
    resubmits: tuple[int, ...] = ()
    row_keys: bytes | None = None


@dataclass(frozen=True)
class Attempt:
    """One submission: the intent, and which attempt it is."""

    request_set_id: int
    number: int


@dataclass(frozen=True)
class Deadline:
    """From when on an intent without an end counts as late, and as missing."""

    late_at: datetime
    missing_at: datetime


def add_intent(
    session: Session,
    intent: NewIntent,
    *,
    credential_id: int,
    signing_key_id: str | None = None,
    send_before: datetime,
    look_at: datetime,
    deadline: Deadline | None = None,
    now: datetime,
) -> Attempt:
    """Write an intent and its first submission.

    ``look_at`` is when somebody should ask what became of it, should nobody ever write the answer.
    Raises AlreadySentAgain, and NotFailed where what it sends again did not fail after all.
    """
    if intent.resubmits:
        # First of all, so that the row of the parent and those of the statistics are always locked
        # in one order.
        _require_failures(session, intent)
    row = RequestSet(
        **_intent_values(intent),
        created_at=now,
        look_at=look_at,
        deadline_at=deadline.late_at if deadline else None,
        missing_at=deadline.missing_at if deadline else None,
    )
    session.add(row)
    session.flush()
    statistics.count_created(session, intent.account_id, now=now)
    if intent.resubmits:
        lineage.add(session, row.id, intent.resubmits)
    attempt = Attempt(row.id, number=1)
    add_submission(
        session,
        attempt,
        credential_id=credential_id,
        signing_key_id=signing_key_id,
        send_before=send_before,
        now=now,
    )
    return attempt


def _require_failures(session: Session, intent: NewIntent) -> None:
    """Lock the set whose failures are sent again, and require that they are failures still."""
    state = session.execute(
        select(RequestSet.state)
        .where(RequestSet.id == intent.parent_id)
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    if state is None:
        raise lineage.NotFailed(f"Set {intent.parent_id} is not here any more.")
    if state != COLLECTED:
        raise lineage.NotFailed(
            f"Set {intent.parent_id} is {state} meanwhile: what failed is known once it is "
            "collected."
        )
    lineage.require_failed(session, intent.resubmits)


def add_submission(
    session: Session,
    attempt: Attempt,
    *,
    credential_id: int,
    signing_key_id: str | None,
    send_before: datetime,
    now: datetime,
) -> None:
    """Write that an attempt may be on its way from now on."""
    session.add(
        Submission(
            request_set_id=attempt.request_set_id,
            attempt=attempt.number,
            credential_id=credential_id,
            signing_key_id=signing_key_id,
            send_before=send_before,
            outcome=SUBMITTING,
            created_at=now,
        )
    )


def _intent_values(intent: NewIntent) -> dict[str, object]:
    return {
        "account_id": intent.account_id,
        "api_key_id": intent.api_key_id,
        "edge": intent.edge,
        "name": intent.name,
        "ad_specs": intent.ad_specs,
        "spec_count": intent.spec_count,
        "caller_notification_uri": intent.notification_uri,
        "caller_notification_mode": intent.notification_mode,
        "parameters_hash": intent.parameters_hash,
        "twin_of": intent.twin_of,
        "parent_id": intent.parent_id,
        "row_keys": intent.row_keys,
        "state": SUBMITTING,
        "attempt": 1,
        "uri_pending": intent.edge == BATCHES_EDGE,
        "is_completed": False,
        "verdict": "pending",
        "quiet_looks": 0,
    }


def know_uri(session: Session, request_set_id: int) -> None:
    """Write that Facebook knows a set's ``notification_uri``."""
    session.execute(
        update(RequestSet).where(RequestSet.id == request_set_id).values(uri_pending=False)
    )


def note_signing_key(session: Session, request_set_id: int, attempt: int, *, key_id: str) -> None:
    """Write which key signed the URL that Facebook was told last of an attempt."""
    session.execute(
        update(Submission)
        .where(Submission.request_set_id == request_set_id, Submission.attempt == attempt)
        .values(signing_key_id=key_id)
    )


def rename(session: Session, request_set_id: int, *, name: str) -> None:
    """Write the name that a set's caller gives it."""
    session.execute(update(RequestSet).where(RequestSet.id == request_set_id).values(name=name))


def change_notification(
    session: Session, request_set_id: int, *, uri: str | None, mode: str
) -> None:
    """Write where and whether a set's caller wants to be told."""
    session.execute(
        update(RequestSet)
        .where(RequestSet.id == request_set_id)
        .values(caller_notification_uri=uri, caller_notification_mode=mode)
    )


def make_due(session: Session, request_set_id: int, *, now: datetime) -> None:
    """Make a set that is at work due: something of it changed. It is a hint like any other."""
    session.execute(
        update(RequestSet)
        .where(RequestSet.id == request_set_id, RequestSet.state.in_((OPEN, COMPLETED)))
        .values(hinted_at=now, look_at=now)
    )


class Opening(StrEnum):
    """What became of an id that Facebook gave for an intent."""

    OPEN = "open"
    """The set is open under this very id."""
    SECOND = "second"
    """The intent has a set with another id already: Facebook has two."""
    TAKEN = "taken"
    """Another intent holds this id."""


def open_set(
    session: Session, attempt: Attempt, *, facebook_id: int, first_look_at: datetime, now: datetime
) -> Opening:
    """Write that Facebook has the set, whenever we learn it and from whatever source.

    The id is kept in any case; the set takes it if it has none yet. A set that was hinted
    meanwhile is due at once. What was sent instead of a rejected one makes it doubled.
    """
    # Locked first, as whoever holds a claim does, so that the two never wait for each other.
    before = session.execute(
        select(RequestSet.state, RequestSet.abandoned_at)
        .where(RequestSet.id == attempt.request_set_id)
        .with_for_update(key_share=True)
    ).one()
    keep_found(session, attempt, facebook_id=facebook_id, now=now)
    write_outcome(session, attempt, outcome=OPEN, facebook_id=facebook_id, now=now)
    if _take(session, attempt, facebook_id=facebook_id, first_look_at=first_look_at, now=now):
        if before.state == REJECTED:
            after_all.hold_requests(session, attempt.request_set_id, now=now)
        if before.abandoned_at is not None:
            after_all.mark_repetitions(
                session, attempt.request_set_id, abandoned_at=before.abandoned_at
            )
        return Opening.OPEN
    holder = session.execute(
        select(RequestSet.id).where(RequestSet.facebook_id == facebook_id)
    ).scalar_one_or_none()
    if holder is None:
        return Opening.SECOND
    return Opening.OPEN if holder == attempt.request_set_id else Opening.TAKEN


def keep_found(session: Session, attempt: Attempt, *, facebook_id: int, now: datetime) -> None:
    """Keep the id of a set at Facebook that names an intent; a second one doubles it."""
    key = (attempt.request_set_id, facebook_id)
    if session.get(FoundSet, key) is not None:
        return
    try:
        with session.begin_nested():
            session.add(
                FoundSet(
                    request_set_id=attempt.request_set_id,
                    facebook_id=facebook_id,
                    attempt=attempt.number,
                    found_at=now,
                )
            )
    except IntegrityError:
        # Its sender and whoever looked for it found it at the same moment.
        return
    count = select(func.count()).where(FoundSet.request_set_id == attempt.request_set_id)
    session.execute(
        update(RequestSet)
        .where(
            RequestSet.id == attempt.request_set_id,
            RequestSet.doubled_at.is_(None),
            count.scalar_subquery() > 1,
        )
        .values(doubled_at=now)
    )


def _take(
    session: Session, attempt: Attempt, *, facebook_id: int, first_look_at: datetime, now: datetime
) -> bool:
    """Give a set that has none its id; False where it has one, or another set holds this one."""
    statement = (
        update(RequestSet)
        .where(
            RequestSet.id == attempt.request_set_id,
            RequestSet.facebook_id.is_(None),
            RequestSet.state.in_(SEARCHED),
        )
        .values(
            **RELEASED,
            state=OPEN,
            state_reason=None,
            error_http_status=None,
            error_body=None,
            facebook_id=facebook_id,
            absent_at=None,
            recheck_at=case(
                (RequestSet.attempt > 1, literal(now + RECHECKED_AFTER, UTCDateTime())),
                else_=RequestSet.recheck_at,
            ),
            opened_at=now,
            quiet_looks=0,
            look_at=due_if_hinted(now, otherwise=first_look_at),
        )
        .returning(RequestSet.id)
    )
    try:
        with session.begin_nested():
            return session.execute(statement).first() is not None
    except IntegrityError:
        return False


def doubt_set(
    session: Session,
    attempt: Attempt,
    *,
    reason: str,
    look_at: datetime | None = None,
    now: datetime,
) -> None:
    """Write that the evidence on a set contradicts itself: a person has to look.

    It is looked for again at ``look_at``, or when it is due anyway; a notification, or an answer
    that comes late, frees it.
    """
    values: dict[str, object] = {**RELEASED, "state": STUCK, "state_reason": reason}
    if look_at is not None:
        values["look_at"] = due_if_hinted(now, otherwise=look_at)
    settle(session, attempt, SEARCHED, values)


def reject_set(
    session: Session,
    attempt: Attempt,
    *,
    reason: str,
    http_status: int | None,
    body: bytes | None,
    now: datetime,
) -> None:
    """Write that Facebook said no, or that nothing was sent, also to a set that waits for it."""
    write_outcome(session, attempt, outcome=REJECTED, error=reason, now=now)
    is_rejected = settle(
        session,
        attempt,
        UNOPENED,
        {
            **RELEASED,
            "state": REJECTED,
            "state_reason": reason,
            "error_http_status": http_status,
            "error_body": body,
            # A notification that came before says that Facebook has the set all the same.
            "look_at": due_if_hinted(now, otherwise=None),
        },
    )
    if is_rejected:
        # The statistics first, as whoever sends requests again does: the two never wait in turn.
        statistics.count_rejected(session, attempt.request_set_id, now=now)
        lineage.release(session, attempt.request_set_id)


def leave_unknown(
    session: Session, attempt: Attempt, *, reason: str, look_at: datetime, now: datetime
) -> None:
    """Write that the set was sent and that its outcome is not known."""
    write_outcome(session, attempt, outcome=UNKNOWN, error=reason, now=now)
    settle(
        session,
        attempt,
        (SUBMITTING,),
        {
            "state": UNKNOWN,
            "state_reason": reason,
            "look_at": due_if_hinted(now, otherwise=look_at),
        },
    )


def give_up_waiting(session: Session, attempt: Attempt) -> None:
    """Write that the sender of a submission is gone, and nobody wrote how it ended."""
    gone = session.execute(
        update(Submission)
        .where(
            Submission.request_set_id == attempt.request_set_id,
            Submission.attempt == attempt.number,
            Submission.outcome == SUBMITTING,
        )
        .values(outcome=UNKNOWN, error="Its sender ended before it wrote the outcome.")
        .returning(Submission.id)
    ).first()
    if gone is not None:
        settle(session, attempt, (SUBMITTING,), {"state": UNKNOWN})


def due_if_hinted(now: datetime, *, otherwise: datetime | None) -> Case[Any]:
    """When a set is due: now where a notification spoke for it, or else at another moment."""
    moment = UTCDateTime()
    return case(
        (RequestSet.hinted_at.is_not(None), literal(now, moment)),
        else_=literal(otherwise, moment),
    )


def write_outcome(
    session: Session,
    attempt: Attempt,
    *,
    outcome: str,
    now: datetime,
    facebook_id: int | None = None,
    error: str | None = None,
) -> None:
    """Write a submission's outcome; one that found its set is never overwritten."""
    session.execute(
        update(Submission)
        .where(
            Submission.request_set_id == attempt.request_set_id,
            Submission.attempt == attempt.number,
            Submission.facebook_id.is_(None),
        )
        .values(outcome=outcome, facebook_id=facebook_id, error=error, answered_at=now)
    )


def settle(
    session: Session, attempt: Attempt, states: tuple[str, ...], values: dict[str, object]
) -> bool:
    """Write values on an attempt's intent; False for one in another state or at another attempt.

    A notification may have opened the set before the sender could write what it saw.
    """
    written = session.execute(
        update(RequestSet)
        .where(
            RequestSet.id == attempt.request_set_id,
            RequestSet.attempt == attempt.number,
            RequestSet.state.in_(states),
        )
        .values(**values)
        .returning(RequestSet.id)
    ).first()
    return written is not None
