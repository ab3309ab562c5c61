"""Statements on creates that were asked for before: under the same key, or with the same words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, false, select
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.intents import NewIntent
from receiver.store.models import Account, IdempotencyKey, RequestSet


@dataclass(frozen=True)
class Outcome:
    """How an intent stands, for whoever asks for it again."""

    request_set_id: int
    state: str
    state_reason: str | None
    facebook_id: int | None
    error_http_status: int | None
    error_body: bytes | None
    is_abandoned: bool

    @property
    def is_known(self) -> bool:
        """Whether it is decided: Facebook has the set, or said no."""
        return self.facebook_id is not None or self.state == intents.REJECTED


class KeyReused(Exception):
    """The caller's key names a create that asked for something else."""

    def __init__(self, request_set_id: int) -> None:
        super().__init__(f"The key belongs to the create {request_set_id}.")
        self.request_set_id = request_set_id


def lock_account(session: Session, account_id: int) -> None:
    """Let no other create of an account be written before this transaction ends.

    Without ``key_share`` it would also wait for every row that refers to the account, and they for
    it: on PostgreSQL a create and a look would block each other for good.
    """
    session.execute(
        select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)
    )


def find_earlier(session: Session, intent: NewIntent) -> int | None:
    """Return the intent that a create asks for again; None for a new one.

    It is the one of the caller's key, or else one of the same caller that asks for the same and has
    no outcome yet. Raises KeyReused.
    """
    if intent.idempotency_key is not None:
        keyed = session.execute(
            select(RequestSet.id, RequestSet.parameters_hash)
            .join(IdempotencyKey, IdempotencyKey.request_set_id == RequestSet.id)
            .where(*_is_key(intent))
        ).one_or_none()
        if keyed is not None:
            if keyed.parameters_hash != intent.parameters_hash:
                raise KeyReused(keyed.id)
            earlier: int = keyed.id
            return earlier
    return find_twin(session, intent, is_of_caller=True)


def find_twin(session: Session, intent: NewIntent, *, is_of_caller: bool) -> int | None:
    """Return an intent without an outcome that asks for the same: of the same caller, or another.

    Two keys name two creates as long as the first one is only on its way. Once nobody knows what
    became of it, the second is a try to send it again, whatever its key.
    """
    if intent.parameters_hash is None:
        return None
    has_key = exists().where(IdempotencyKey.request_set_id == RequestSet.id)
    is_on_its_way = RequestSet.state == intents.SUBMITTING
    differs = has_key if intent.idempotency_key is not None else false()
    is_callers = RequestSet.api_key_id.is_not_distinct_from(intent.api_key_id)
    return session.execute(
        select(RequestSet.id)
        .where(
            RequestSet.account_id == intent.account_id,
            RequestSet.edge == intent.edge,
            RequestSet.parameters_hash == intent.parameters_hash,
            intents.is_in(intents.WITHOUT_OUTCOME),
            RequestSet.facebook_id.is_(None),
            is_callers if is_of_caller else ~is_callers,
            ~(is_on_its_way & differs),
        )
        .order_by(RequestSet.id)
        .limit(1)
    ).scalar_one_or_none()


@dataclass(frozen=True)
class Keyed:
    """A create that a key names."""

    request_set_id: int
    parameters_hash: bytes | None


def numbered_keys(session: Session, account_id: int, *, edge: str, prefix: str) -> dict[str, Keyed]:
    """Return the creates of an account whose keys are a prefix, a hyphen and a number, by key."""
    beginning = f"{prefix}-"
    rows = session.execute(
        select(IdempotencyKey.key, RequestSet.id, RequestSet.parameters_hash)
        .join(RequestSet, IdempotencyKey.request_set_id == RequestSet.id)
        .where(
            IdempotencyKey.account_id == account_id,
            IdempotencyKey.edge == edge,
            IdempotencyKey.key.startswith(beginning, autoescape=True),
        )
        .order_by(RequestSet.id)
    )
    # SQLite takes small and capital letters for the same, and longer prefixes begin alike.
    return {
        row.key: Keyed(row.id, row.parameters_hash)
        for row in rows
        if row.key.startswith(beginning) and row.key.removeprefix(beginning).isdecimal()
    }


def keep_key(session: Session, intent: NewIntent, request_set_id: int) -> None:
    """Let the key of a create name an intent, if it has one that names none yet."""
    if intent.idempotency_key is None:
        return
    known = session.execute(select(IdempotencyKey.key).where(*_is_key(intent))).first()
    if known is None:
        session.add(
            IdempotencyKey(
                account_id=intent.account_id,
                edge=intent.edge,
                key=intent.idempotency_key,
                request_set_id=request_set_id,
            )
        )


def release_keys(session: Session, request_set_id: int) -> None:
    """Take its keys from an intent whose refusal may pass: they name the next try."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.request_set_id == request_set_id))


def _is_key(intent: NewIntent) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.account_id == intent.account_id,
        IdempotencyKey.edge == intent.edge,
        IdempotencyKey.key == intent.idempotency_key,
    )


def outcome(session: Session, request_set_id: int) -> Outcome:
    """Return how an intent stands."""
    row = session.execute(
        select(
            RequestSet.state,
            RequestSet.state_reason,
            RequestSet.facebook_id,
            RequestSet.error_http_status,
            RequestSet.error_body,
            RequestSet.abandoned_at.is_not(None).label("is_abandoned"),
        ).where(RequestSet.id == request_set_id)
    ).one()
    return Outcome(
        request_set_id,
        state=row.state,
        state_reason=row.state_reason,
        facebook_id=row.facebook_id,
        error_http_status=row.error_http_status,
        error_body=row.error_body,
        is_abandoned=row.is_abandoned,
    )
