"""Statements on failed requests that are sent again: a request stands in one live set at most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import count_field
from receiver.store.models import Request, RequestSet, Resubmission


class AlreadySentAgain(Exception):
    """A request stands in another live set already: somebody was faster."""


class NotFailed(Exception):
    """What was to be sent again did not fail after all, or is being read again; it says which."""


def failed_requests(session: Session, request_set_id: int) -> list[Request]:
    """Return a set's final requests that made nothing, in the order of their ids."""
    rows = session.scalars(
        select(Request)
        .where(
            Request.request_set_id == request_set_id,
            Request.is_final,
            Request.created_object_id.is_(None),
        )
        .order_by(Request.id)
    )
    return [row for row in rows if row.status.upper().startswith("ERROR")]


def live(session: Session, request_ids: Collection[int]) -> dict[int, int]:
    """Return the live set in which each of some requests is sent again."""
    rows = session.execute(
        select(Resubmission.request_id, Resubmission.request_set_id).where(
            Resubmission.request_id.in_(request_ids), Resubmission.is_live
        )
    )
    return {row.request_id: row.request_set_id for row in rows}


def require_failed(session: Session, request_ids: Collection[int]) -> None:
    """Require that every request is final still, and made nothing. Raises NotFailed."""
    failed = session.scalars(
        select(Request.id).where(
            Request.id.in_(request_ids), Request.is_final, Request.created_object_id.is_(None)
        )
    ).all()
    if len(failed) != len(set(request_ids)):
        raise NotFailed("A request that was to be sent again did not fail after all.")


def add(session: Session, request_set_id: int, request_ids: Sequence[int]) -> None:
    """Write which request each spec of a new set sends again. Raises AlreadySentAgain."""
    session.add_all(
        Resubmission(
            request_set_id=request_set_id, spec_index=index, request_id=request_id, is_live=True
        )
        for index, request_id in enumerate(request_ids)
    )
    try:
        session.flush()
    except IntegrityError:
        raise AlreadySentAgain(
            "A failed request of this set is being sent again already."
        ) from None


def release(session: Session, request_set_id: int) -> None:
    """Let the requests of a set that Facebook refused be sent again in another one."""
    session.execute(
        update(Resubmission)
        .where(Resubmission.request_set_id == request_set_id)
        .values(is_live=False)
    )


def release_specs(session: Session, request_set_id: int, indexes: Collection[int]) -> None:
    """Let what some specs of a set send again be sent again in another one: they made nothing."""
    session.execute(
        update(Resubmission)
        .where(Resubmission.request_set_id == request_set_id, Resubmission.spec_index.in_(indexes))
        .values(is_live=False)
    )


def canceled_requests(session: Session, request_set_id: int) -> list[int]:
    """Return a set's requests that were canceled and made nothing."""
    rows = session.execute(
        select(Request.id, Request.status).where(
            Request.request_set_id == request_set_id,
            Request.is_final,
            Request.created_object_id.is_(None),
        )
    )
    return [row.id for row in rows if count_field(row.status) == "canceled_count"]


def inputs_of(session: Session, request_set_id: int) -> dict[int, bytes | None]:
    """Return what Facebook shows as the input of each request of a set."""
    rows = session.execute(
        select(Request.id, Request.input).where(Request.request_set_id == request_set_id)
    )
    return {row.id: row.input for row in rows}


def made_by(session: Session, request_set_id: int) -> set[int]:
    """Return the objects that requests of a set made."""
    rows = session.scalars(
        select(Request.created_object_id).where(
            Request.request_set_id == request_set_id, Request.created_object_id.is_not(None)
        )
    )
    return {one for one in rows if one is not None}


def specs_of(session: Session, request_set_id: int) -> bytes:
    """Return what a set's caller asked for, as JSON."""
    return session.execute(
        select(RequestSet.ad_specs).where(RequestSet.id == request_set_id)
    ).scalar_one()


def row_keys_of(session: Session, request_set_id: int) -> bytes | None:
    """Return what a set's caller calls each spec, as a JSON list."""
    return session.execute(
        select(RequestSet.row_keys).where(RequestSet.id == request_set_id)
    ).scalar_one()


def sending_again(session: Session, request_set_ids: Collection[int]) -> list[int]:
    """Return those of some sets that send requests of others again."""
    return list(
        session.scalars(
            select(Resubmission.request_set_id)
            .where(Resubmission.request_set_id.in_(request_set_ids))
            .distinct()
            .order_by(Resubmission.request_set_id)
        )
    )


def parents_of(session: Session, request_set_id: int) -> dict[int, int]:
    """Return, of a set that sends requests again, each spec's request by the spec's index."""
    rows: Any = session.execute(
        select(Resubmission.spec_index, Resubmission.request_id).where(
            Resubmission.request_set_id == request_set_id
        )
    )
    return {row.spec_index: row.request_id for row in rows}
