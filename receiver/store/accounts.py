"""Statements on accounts and their credentials."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from receiver.store import waits
from receiver.store.models import Account, Credential


class AccountsDiffer(ValueError):
    """The named accounts cannot be treated as one; the message says what to do."""


@dataclass(frozen=True)
class SealedCredential:
    """A credential as it stands in SQL."""

    id: int
    token: bytes
    app_secret: bytes | None


def put_accounts(
    session: Session,
    account_ids: Sequence[int],
    *,
    sealed_token: bytes,
    sealed_app_secret: bytes | None,
    drop_app_secret: bool = False,
    now: datetime,
) -> bool:
    """Give the accounts a credential: a new one, or a new token in the one that they share.

    Without a new app secret the known one stays, unless it is to be dropped. Returns whether an
    existing credential was changed. Raises AccountsDiffer when only some of the accounts are
    known, when they hold different credentials, or when others share theirs.
    """
    known = credential_ids(session, account_ids)
    if not known:
        _add_accounts(session, account_ids, sealed_token, sealed_app_secret, now=now)
        return False
    credential_id = _shared_credential(account_ids, known=known)
    _refuse_others(session, account_ids, credential_id)
    values: dict[str, object] = {"sealed_token": sealed_token}
    if sealed_app_secret is not None or drop_app_secret:
        values["sealed_app_secret"] = sealed_app_secret
    session.execute(update(Credential).where(Credential.id == credential_id).values(**values))
    # A token that was out of date parked its accounts: they go on with the new one.
    waits.end(session, account_ids, now=now)
    return True


def _add_accounts(
    session: Session,
    account_ids: Sequence[int],
    sealed_token: bytes,
    sealed_app_secret: bytes | None,
    *,
    now: datetime,
) -> None:
    credential = Credential(
        sealed_token=sealed_token, sealed_app_secret=sealed_app_secret, created_at=now
    )
    session.add(credential)
    session.flush()
    session.add_all(
        Account(id=account_id, credential_id=credential.id, resume_at=None, created_at=now)
        for account_id in account_ids
    )
    try:
        session.flush()
    except IntegrityError:
        raise AccountsDiffer(
            "Somebody added one of these accounts at the same moment: run the command again."
        ) from None


def _refuse_others(session: Session, account_ids: Sequence[int], credential_id: int) -> None:
    """Raise AccountsDiffer where a new token would silently be that of other accounts too."""
    others = session.scalars(
        select(Account.id)
        .where(Account.credential_id == credential_id, Account.id.not_in(account_ids))
        .order_by(Account.id)
    ).all()
    if others:
        shared = ", ".join(f"act_{account_id}" for account_id in others)
        raise AccountsDiffer(
            f"act_{account_ids[0]} shares its token with {shared}: "
            "name them all to replace it for all of them."
        )


def all_ids(session: Session) -> list[int]:
    """Return every account's id."""
    return list(session.scalars(select(Account.id).order_by(Account.id)))


def created_at(session: Session, account_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each of some accounts was added."""
    rows = session.execute(
        select(Account.id, Account.created_at).where(Account.id.in_(account_ids))
    )
    return {row.id: row.created_at for row in rows}


def credential_ids(session: Session, account_ids: Sequence[int]) -> dict[int, int]:
    """Return the credentials of those of the accounts that are known."""
    rows = session.execute(
        select(Account.id, Account.credential_id).where(Account.id.in_(account_ids))
    )
    return {row.id: row.credential_id for row in rows}


def _shared_credential(account_ids: Sequence[int], *, known: dict[int, int]) -> int:
    missing = sorted(set(account_ids) - set(known))
    if missing:
        raise AccountsDiffer(
            f"act_{missing[0]} is new and others of these accounts are not: "
            "add the new accounts in a call of their own."
        )
    credential_ids = set(known.values())
    if len(credential_ids) > 1:
        raise AccountsDiffer(
            "These accounts hold different credentials: replace their tokens one by one."
        )
    return credential_ids.pop()


def credential_of(session: Session, account_id: int) -> SealedCredential:
    """Return the credential that acts on an account."""
    is_meant = (
        Credential.id
        == select(Account.credential_id).where(Account.id == account_id).scalar_subquery()
    )
    return _sealed(session, is_meant)


def find_credential(session: Session, credential_id: int) -> SealedCredential:
    """Return a credential by its own number."""
    return _sealed(session, Credential.id == credential_id)


def _sealed(session: Session, is_meant: ColumnElement[bool]) -> SealedCredential:
    row = session.execute(
        select(Credential.id, Credential.sealed_token, Credential.sealed_app_secret).where(is_meant)
    ).one()
    return SealedCredential(row.id, token=row.sealed_token, app_secret=row.sealed_app_secret)
