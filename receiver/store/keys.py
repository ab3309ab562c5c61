"""Statements on the keys that callers hold instead of Facebook tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from receiver.store.accounts import AccountsDiffer, credential_ids
from receiver.store.models import ApiKey, ApiKeyAccount


class NameTaken(ValueError):
    """Another key has this name."""


@dataclass(frozen=True)
class Caller:
    """Who a key belongs to: its credential, the accounts under it that it may use, and how."""

    key_id: int
    name: str
    credential_id: int
    account_ids: frozenset[int]
    is_read_only: bool
    last_used_at: datetime | None


def add_key(
    session: Session,
    name: str,
    *,
    key_hash: bytes,
    account_ids: Sequence[int],
    is_read_only: bool = False,
    expires_at: datetime | None = None,
    now: datetime,
) -> None:
    """Add a caller's key for accounts of one credential.

    Raises AccountsDiffer for an unknown account or accounts of several credentials, and NameTaken.
    """
    if session.execute(select(ApiKey.id).where(ApiKey.name == name)).first():
        raise _name_taken(name)
    known = credential_ids(session, account_ids)
    missing = sorted(set(account_ids) - set(known))
    if missing:
        raise AccountsDiffer(
            f"act_{missing[0]} is not known: add it first with 'receiver account add'."
        )
    if len(set(known.values())) > 1:
        raise AccountsDiffer(
            "These accounts hold different credentials: create one key for each credential."
        )
    key = ApiKey(
        name=name,
        key_hash=key_hash,
        credential_id=next(iter(known.values())),
        is_read_only=is_read_only,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    try:
        session.flush()
    except IntegrityError:
        raise _name_taken(name) from None
    session.add_all(ApiKeyAccount(api_key_id=key.id, account_id=account_id) for account_id in known)


def _name_taken(name: str) -> NameTaken:
    return NameTaken(f"There is a key named {name!r} already: choose another name.")


def find_caller(session: Session, key_hash: bytes, *, now: datetime) -> Caller | None:
    """Return who holds the key with this hash; None for one that expired or was revoked."""
    rows = session.execute(
        select(
            ApiKey.id,
            ApiKey.name,
            ApiKey.credential_id,
            ApiKey.is_read_only,
            ApiKey.last_used_at,
            ApiKeyAccount.account_id,
        )
        .join(ApiKeyAccount, ApiKeyAccount.api_key_id == ApiKey.id)
        .where(
            ApiKey.key_hash == key_hash,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
        )
    ).all()
    if not rows:
        return None
    first = rows[0]
    return Caller(
        key_id=first.id,
        name=first.name,
        credential_id=first.credential_id,
        account_ids=frozenset(row.account_id for row in rows),
        is_read_only=first.is_read_only,
        last_used_at=first.last_used_at,
    )
