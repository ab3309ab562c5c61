"""Statements on the waits that Facebook asks for: of an account, or of a credential's whole app."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, or_, select, update
from sqlalchemy.orm import Session

from receiver.store import changes
from receiver.store.models import Account, Credential

FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
"""Until a person did something: no clock gets there."""


@dataclass(frozen=True)
class Wait:
    """Until when not to ask, and the error that said so, as it came; None where a header did.

    ``is_of_app`` is a limit of the app, which every account of its credential shares.
    ``parked_reason`` is why only a person ends it, in words; it then lasts until ``FOREVER``.
    """

    resume_at: datetime
    http_status: int | None = None
    body: bytes | None = field(default=None, repr=False)
    is_of_app: bool = False
    parked_reason: str | None = None


def wait(session: Session, account_id: int, wanted: Wait) -> None:
    """Ask nothing for an account, or with its credential, before the wait is over.

    A longer wait that is known stands.
    """
    if wanted.is_of_app:
        of_account = select(Account.credential_id).where(Account.id == account_id)
        _write(session, Credential, Credential.id.in_(of_account), wanted)
    else:
        _write(session, Account, Account.id == account_id, wanted)


def wait_with(session: Session, credential_id: int, wanted: Wait) -> None:
    """Ask nothing with a credential before the wait is over."""
    _write(session, Credential, Credential.id == credential_id, wanted)


def _write(session: Session, model: Any, is_meant: Any, wanted: Wait) -> None:
    session.execute(
        update(model)
        .where(is_meant, or_(model.resume_at.is_(None), model.resume_at < wanted.resume_at))
        .values(
            resume_at=wanted.resume_at,
            wait_http_status=wanted.http_status,
            wait_body=wanted.body,
            parked_reason=wanted.parked_reason,
        )
    )


def is_waiting(session: Session, account_id: int, *, now: datetime) -> bool:
    """Tell whether nothing may be asked for an account now."""
    waiting = (
        select(Account.id)
        .join(Credential, Credential.id == Account.credential_id)
        .where(
            Account.id == account_id,
            or_(Account.resume_at > now, Credential.resume_at > now),
        )
    )
    return session.execute(waiting).first() is not None


def current(
    session: Session, *, account_id: int | None, credential_id: int, now: datetime
) -> Wait | None:
    """Return the wait that a call on an account with a credential runs into, if there is one."""
    waits = [_read(session, Credential, credential_id)]
    if account_id is not None:
        waits.append(_read(session, Account, account_id))
    under_way = [each for each in waits if each is not None and each.resume_at > now]
    return max(under_way, key=lambda each: each.resume_at, default=None)


def of_account(session: Session, account_id: int, *, now: datetime) -> Wait | None:
    """Return the wait that an account is in, its own or its credential's; None without one."""
    credential_id = session.execute(
        select(Account.credential_id).where(Account.id == account_id)
    ).scalar_one()
    return current(session, account_id=account_id, credential_id=credential_id, now=now)


def of_accounts(
    session: Session, account_ids: Collection[int], *, now: datetime
) -> dict[int, Wait]:
    """Return the waits of those of some accounts that are in one, by their ids."""
    of_account = [getattr(Account, name).label(f"account_{name}") for name in _COLUMNS]
    of_app = [getattr(Credential, name).label(f"app_{name}") for name in _COLUMNS]
    rows = session.execute(
        select(Account.id, *of_app, *of_account)
        .join(Credential, Credential.id == Account.credential_id)
        .where(Account.id.in_(account_ids))
    ).mappings()
    found = {row["id"]: _longest(row, now=now) for row in rows}
    return {account_id: wait for account_id, wait in found.items() if wait is not None}


_COLUMNS = ("resume_at", "wait_http_status", "wait_body", "parked_reason")


def _longest(row: RowMapping, *, now: datetime) -> Wait | None:
    waits = [
        Wait(
            row[f"{whose}_resume_at"],
            row[f"{whose}_wait_http_status"],
            row[f"{whose}_wait_body"],
            parked_reason=row[f"{whose}_parked_reason"],
        )
        for whose in ("app", "account")
        if row[f"{whose}_resume_at"] is not None
    ]
    under_way = [each for each in waits if each.resume_at > now]
    return max(under_way, key=lambda each: each.resume_at, default=None)


def _read(session: Session, model: Any, row_id: int) -> Wait | None:
    row = session.execute(
        select(model.resume_at, model.wait_http_status, model.wait_body, model.parked_reason).where(
            model.id == row_id, model.resume_at.is_not(None)
        )
    ).one_or_none()
    if row is None:
        return None
    return Wait(row.resume_at, row.wait_http_status, row.wait_body, parked_reason=row.parked_reason)


def sharing(session: Session, account_id: int) -> frozenset[int]:
    """Return the accounts that an account shares its credential with, itself among them."""
    shared = select(Account.credential_id).where(Account.id == account_id).scalar_subquery()
    return frozenset(session.scalars(select(Account.id).where(Account.credential_id == shared)))


def end(session: Session, account_ids: Collection[int], *, now: datetime) -> None:
    """End every wait of some accounts and of their credentials: a person did something.

    The sets that waited are due at once, those of accounts that only share a credential too.
    """
    shared = select(Account.credential_id).where(Account.id.in_(account_ids))
    is_shared = Credential.id.in_(shared)
    sharing = session.scalars(select(Account.id).where(Account.credential_id.in_(shared))).all()
    _make_due(session, sharing, now=now)
    session.execute(update(Credential).where(is_shared).values(_NO_WAIT))
    session.execute(update(Account).where(Account.id.in_(account_ids)).values(_NO_WAIT))


def end_own(session: Session, account_id: int, *, now: datetime) -> None:
    """End an account's own wait; that of its credential stands. Its sets are due at once."""
    _make_due(session, [account_id], now=now)
    session.execute(update(Account).where(Account.id == account_id).values(_NO_WAIT))


_NO_WAIT = dict.fromkeys(_COLUMNS)


def _make_due(session: Session, account_ids: Collection[int], *, now: datetime) -> None:
    """Make due what accounts would have looked at by the end of their waits."""
    for account_id, under_way in of_accounts(session, account_ids, now=now).items():
        changes.look_sooner(session, account_id, due_before=under_way.resume_at, now=now)
