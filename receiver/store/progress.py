"""Statements for whoever watches sets come along: few columns of many sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from receiver.store import intents
from receiver.store.models import Request, RequestSet

_AT_ONCE = 500
"""How many sets one statement names: every database takes as many parameters."""

_AT_END = (intents.COLLECTED, intents.REJECTED, intents.STUCK)
"""The states in which nothing more comes by itself, but evidence from Facebook."""

_COLUMNS = (
    RequestSet.id,
    RequestSet.account_id,
    RequestSet.facebook_id,
    RequestSet.name,
    RequestSet.state,
    RequestSet.state_reason,
    RequestSet.spec_count,
    RequestSet.total_count,
    RequestSet.success_count,
    RequestSet.error_count,
    RequestSet.canceled_count,
    RequestSet.verdict,
)


@dataclass(frozen=True)
class SetProgress:
    """How far a set is. Counts are Facebook's, None where it has not shown them yet."""

    id: int
    account_id: int
    facebook_id: int | None
    name: str
    state: str
    state_reason: str | None
    spec_count: int
    total_count: int | None
    success_count: int | None
    error_count: int | None
    canceled_count: int | None
    verdict: str

    @property
    def total(self) -> int:
        """How many requests it has: as asked for, until Facebook says it."""
        return self.spec_count if self.total_count is None else self.total_count

    @property
    def succeeded(self) -> int:
        return self.success_count or 0

    @property
    def failed(self) -> int:
        return self.error_count or 0

    @property
    def canceled(self) -> int:
        return self.canceled_count or 0

    @property
    def done(self) -> int:
        """How many of its requests have an end."""
        return self.succeeded + self.failed + self.canceled

    @property
    def is_at_end(self) -> bool:
        """Whether it is collected, rejected or stuck: nobody has to wait for it any more."""
        return self.state in _AT_END

    @property
    def is_unresolved(self) -> bool:
        """Whether nobody knows whether Facebook has it."""
        return self.state in intents.WITHOUT_OUTCOME

    @property
    def went_wrong(self) -> bool:
        """Whether it, or any of its requests, was not carried out.

        Of a collected set that is whatever is not counted as a success: some requests end in a
        status that counts as nothing at all.
        """
        if self.state == intents.COLLECTED:
            return self.succeeded != self.total
        is_lost = self.state in (intents.REJECTED, intents.STUCK)
        return is_lost or self.failed + self.canceled > 0


def of_sets(session: Session, request_set_ids: Sequence[int]) -> list[SetProgress]:
    """Return how far sets are, by their numbers; one that does not exist is left out."""
    return [
        SetProgress(**row)
        for ids in _chunks(sorted(set(request_set_ids)))
        for row in session.execute(
            select(*_COLUMNS).where(RequestSet.id.in_(ids)).order_by(RequestSet.id)
        ).mappings()
    ]


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def ids_without_end(session: Session, account_id: int, *, limit: int) -> list[int]:
    """Return the newest of an account's sets that nothing ended yet, oldest first."""
    rows = session.scalars(
        select(RequestSet.id)
        .where(RequestSet.account_id == account_id, RequestSet.state.not_in(_AT_END))
        .order_by(RequestSet.id.desc())
        .limit(limit)
    )
    return sorted(rows)


def find_id(session: Session, number: int) -> int | None:
    """Return the set that a person means by a number: our own of it, or else Facebook's."""
    return session.scalars(
        select(RequestSet.id)
        .where((RequestSet.id == number) | (RequestSet.facebook_id == number))
        .order_by(RequestSet.id != number)
        .limit(1)
    ).first()


def failed_requests(session: Session, request_set_id: int) -> list[Request]:
    """Return the requests of a set that ended without success, in the order of their ids."""
    rows = session.scalars(
        select(Request)
        .where(
            Request.request_set_id == request_set_id,
            Request.is_final,
            func.upper(Request.status) != "SUCCESS",
        )
        .order_by(Request.id)
    )
    return list(rows)
