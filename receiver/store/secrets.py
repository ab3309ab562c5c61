"""Statements on what the secret keys are needed for: sealed credentials, and signed URLs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.models import Account, Credential, RequestSet, Submission


@dataclass(frozen=True)
class SealedRow:
    """A credential's sealed parts, and the first of the accounts that it acts on."""

    credential_id: int
    token: bytes
    app_secret: bytes | None
    account_id: int | None


def sealed_rows(session: Session) -> list[SealedRow]:
    """Return every credential as it is sealed."""
    rows = session.execute(
        select(
            Credential.id,
            Credential.sealed_token,
            Credential.sealed_app_secret,
            func.min(Account.id).label("account_id"),
        )
        .outerjoin(Account, Account.credential_id == Credential.id)
        .group_by(Credential.id, Credential.sealed_token, Credential.sealed_app_secret)
        .order_by(Credential.id)
    )
    return [
        SealedRow(row.id, row.sealed_token, row.sealed_app_secret, row.account_id) for row in rows
    ]


def reseal(session: Session, credential_id: int, *, again: Callable[[bytes], bytes]) -> None:
    """Seal a credential again. One that somebody changes meanwhile waits for us, or we for it."""
    row = session.execute(
        select(Credential).where(Credential.id == credential_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if row is None:
        return
    app_secret = row.sealed_app_secret
    session.execute(
        update(Credential)
        .where(Credential.id == credential_id)
        .values(
            sealed_token=again(row.sealed_token),
            sealed_app_secret=None if app_secret is None else again(app_secret),
        )
    )


def pending_urls(session: Session) -> dict[str | None, int]:
    """Count the URLs that may still be called, by the id of the key that signed them.

    None stands for those that were signed before this was kept.
    """
    # A set that is due again, or that waits for a person: its notification may still come.
    is_pending = or_(RequestSet.look_at.is_not(None), RequestSet.state == intents.STUCK)
    rows = session.execute(
        select(Submission.signing_key_id, func.count())
        .join(RequestSet, RequestSet.id == Submission.request_set_id)
        .where(is_pending)
        .group_by(Submission.signing_key_id)
    )
    return {row[0]: row[1] for row in rows}
