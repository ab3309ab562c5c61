"""Statements on the keys that callers hold instead of Facebook tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from receiver.store.accounts import AccountsDiffer, credential_ids
from receiver.store.models import ApiKey, ApiKeyAccount, SignIn
from receiver.store.types import UTCDateTime


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
    return _find(session, ApiKey.key_hash == key_hash, now=now)


def find_signed_in(session: Session, token_hash: bytes, *, now: datetime) -> Caller | None:
    """Return whose key began the session with this hash; None once session or key has ended."""
    begun_with = select(SignIn.api_key_id).where(
        SignIn.token_hash == token_hash, SignIn.expires_at > now
    )
    return _find(session, ApiKey.id == begun_with.scalar_subquery(), now=now)


def find_holder(session: Session, key_id: int, *, now: datetime) -> Caller | None:
    """Return who holds the key with this number; None for one that expired or was revoked."""
    return _find(session, ApiKey.id == key_id, now=now)


def _find(session: Session, is_meant: ColumnElement[bool], *, now: datetime) -> Caller | None:
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
            is_meant,
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


def sign_in(
    session: Session, caller: Caller, *, token_hash: bytes, expires_at: datetime, now: datetime
) -> None:
    """Begin a person's session, and forget those that are over."""
    session.execute(delete(SignIn).where(SignIn.expires_at <= now))
    session.add(
        SignIn(
            token_hash=token_hash, api_key_id=caller.key_id, created_at=now, expires_at=expires_at
        )
    )


def sign_out(session: Session, token_hash: bytes) -> None:
    """End a person's session."""
    session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))


def note_use(session: Session, key_id: int, *, now: datetime) -> None:
    """Write that a key was used."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))


@dataclass(frozen=True)
class KeyRow:
    """A key as its administrator sees it: never itself, nor its hash."""

    id: int
    name: str
    account_ids: tuple[int, ...]
    is_read_only: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def list_keys(session: Session) -> list[KeyRow]:
    """Return every key, in the order of their names."""
    accounts: dict[int, list[int]] = {}
    for row in session.execute(select(ApiKeyAccount).order_by(ApiKeyAccount.account_id)).scalars():
        accounts.setdefault(row.api_key_id, []).append(row.account_id)
    rows = session.execute(select(ApiKey).order_by(ApiKey.name)).scalars()
    return [
        KeyRow(
            id=row.id,
            name=row.name,
            account_ids=tuple(accounts.get(row.id, ())),
            is_read_only=row.is_read_only,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


def revoke_key(session: Session, name: str, *, now: datetime) -> bool:
    """End a key at once. Returns whether there is one of that name; the first end stands."""
    found = session.execute(
        update(ApiKey)
        .where(ApiKey.name == name)
        .values(revoked_at=func.coalesce(ApiKey.revoked_at, literal(now, UTCDateTime())))
        .returning(ApiKey.id)
    ).first()
    return found is not None


def find_key_id(session: Session, name: str) -> int | None:
    """Return a key's number by its name."""
    return session.execute(select(ApiKey.id).where(ApiKey.name == name)).scalar_one_or_none()
