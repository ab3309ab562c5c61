"""Rows for tests of the store: an account, sets of it, and what Facebook shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from receiver.graph.wire import RequestReading, SetReading
from receiver.store import accounts, claims, due, intents, looks, notifications, results
from receiver.store.claims import Claim
from receiver.store.database import Database
from receiver.store.inbox.inbox import Inbox
from receiver.store.inbox.rows import NewNotification
from receiver.store.intents import Attempt, NewIntent
from receiver.store.looks import Collected, Shown
from receiver.store.models import Base
from receiver.store.results import Progress, ReadPage

RowT = TypeVar("RowT", bound=Base)

ACCOUNT = 71597454
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEASE_SECONDS = 120


def at(seconds: float) -> datetime:
    """A moment so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def add_account(database: Database, account_id: int = ACCOUNT) -> None:
    with database.writing() as session:
        accounts.put_accounts(
            session, [account_id], sealed_token=b"sealed", sealed_app_secret=None, now=NOW
        )


def new_intent(**asked: Any) -> NewIntent:
    """What a caller asks for: one ad, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "account_id": ACCOUNT,
        "api_key_id": None,
        "name": "A set",
        "ad_specs": b"[{}]",
        "spec_count": 1,
        "notification_uri": None,
        "notification_mode": "OFF",
    }
    return NewIntent(**usual | asked)


def add_intent(
    database: Database, *, account_id: int = ACCOUNT, now: datetime = NOW, name: str = "A set"
) -> Attempt:
    """Write an intent that is being submitted; its account has to be there."""
    with database.writing() as session:
        return write_intent(session, account_id=account_id, now=now, name=name)


def write_intent(session: Session, *, account_id: int, now: datetime, name: str) -> Attempt:
    """Write an intent that is being submitted, among other rows."""
    return intents.add_intent(
        session,
        new_intent(account_id=account_id, name=name),
        credential_id=accounts.credential_of(session, account_id).id,
        send_before=now + timedelta(seconds=10),
        look_at=now + timedelta(seconds=75),
        now=now,
    )


def add_open_set(
    database: Database,
    facebook_id: int,
    *,
    account_id: int = ACCOUNT,
    look_at: datetime = NOW,
    name: str = "A set",
) -> int:
    """Write a set that Facebook has, due at ``look_at``; return our id of it."""
    attempt = add_intent(database, account_id=account_id, name=name)
    with database.writing() as session:
        assert intents.open_set(
            session, attempt, facebook_id=facebook_id, first_look_at=look_at, now=NOW
        )
    return attempt.request_set_id


def claim(
    database: Database, *, now: datetime = NOW, account_id: int | None = None
) -> Claim | None:
    """Claim what is due as the lifecycle does: the lease holds two minutes."""
    with database.writing() as session:
        account_ids = due.first_accounts(session, now=now, most=9)
        return claims.claim_due(
            session,
            account_ids if account_id is None else [account_id],
            now=now,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            next_look_at=lambda quiet_looks: now + timedelta(seconds=15 * quiet_looks),
        )


def must_claim(database: Database, *, now: datetime = NOW) -> Claim:
    claimed = claim(database, now=now)
    assert claimed is not None
    return claimed


def new_notification(
    request_set_id: int, *, attempt: int = 1, now: datetime = NOW
) -> NewNotification:
    return NewNotification(
        request_set_id=request_set_id,
        attempt=attempt,
        received_at=now,
        method="POST",
        remote_address="203.0.113.7",
        query="",
        headers="[]",
        body=b"id=1",
        body_cut=None,
    )


def notify(
    database: Database, request_set_id: int, *, attempt: int = 1, now: datetime = NOW
) -> None:
    """Keep a notification, without applying it."""
    with closing(Inbox(database)) as inbox:
        inbox.keep(new_notification(request_set_id, attempt=attempt, now=now))


def apply_hints(database: Database, *, now: datetime = NOW) -> int:
    with database.writing() as session:
        return notifications.apply_hints(session, now=now).notifications


def rows(database: Database, model: type[RowT]) -> list[RowT]:
    """Return every row of a table, oldest first."""
    with database.reading() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def request_reading(request_id: int, **shown: Any) -> RequestReading:
    """A request as Facebook shows it; unless told otherwise, one that is still INITIAL."""
    nothing = dict.fromkeys(RequestReading._fields)
    return RequestReading(**{**nothing, "id": request_id, "status": "INITIAL", **shown})


def set_reading(**shown: Any) -> SetReading:
    """A set as Facebook shows it; unless told otherwise, one that is not complete."""
    nothing = dict.fromkeys(SetReading.__dataclass_fields__)
    return SetReading(**{**nothing, "id": 1, "is_completed": False, **shown})


def upsert(
    session: Session,
    request_set_id: int,
    readings: Sequence[RequestReading],
    *,
    account_id: int = ACCOUNT,
    read_at: datetime = NOW,
) -> list[int]:
    """Write a page of one set's requests; return which of them the database refused."""
    page = ReadPage(request_set_id, account_id, readings, read_at=read_at)
    return results.upsert(session, [page]).get(request_set_id, [])


def progress(session: Session, request_set_id: int) -> Progress:
    return results.progress(session, [request_set_id])[request_set_id]


def write_reading(
    session: Session, claim: Claim, reading: SetReading, *, verdict: str, now: datetime
) -> None:
    """Write what a look showed at once of one set."""
    looks.write_readings(session, [Shown(claim, reading, verdict, asked_at=now)], now=now)


def finish_collected(
    session: Session, claim: Claim, *, verdict: str, look_at: datetime | None = None, now: datetime
) -> None:
    """Close one set."""
    looks.finish_collected(session, [Collected(claim, verdict, look_at)], now=now)
