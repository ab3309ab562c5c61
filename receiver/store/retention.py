"""Statements on what is older than it is kept: a set goes whole, with all that belongs to it.

Only what is over goes: nothing more is to come of it, nobody has to look at it, and nothing refers
to it. Statistics, audit log and what is remembered of objects at Facebook stay.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from receiver.store import intents, partitions
from receiver.store.models import (
    ActionPlan,
    ActionPlanItem,
    Delivery,
    DeliveryAttempt,
    FoundSet,
    IdempotencyKey,
    Look,
    Notification,
    Request,
    RequestSet,
    Resubmission,
    Submission,
)
from receiver.store.partitions import Partition

_SETS_A_STEP = 200
_REQUESTS_A_STEP = 1_000
_NOTIFICATIONS_A_STEP = 1_000

_OF_A_SET: Sequence[Any] = (
    Resubmission,
    Delivery,
    Look,
    Notification,
    IdempotencyKey,
    FoundSet,
    Submission,
    Request,
    RequestSet,
)
"""The tables that hold a set, in the order in which their rows may go."""


@dataclass(frozen=True)
class Page:
    """The sets that go of those up to ``last``; that is None where there are no more so old."""

    numbers: Collection[int]
    last: int | None


def is_over(before: datetime) -> ColumnElement[bool]:
    """Whether nothing has come of a set since a moment, and nothing is to come.

    What Facebook has twice, what has a twin, and what was odd when it was collected stays for
    people to see, and so does what a plan is about.
    """
    second = aliased(RequestSet)
    is_sent_since = func.coalesce(Submission.answered_at, Submission.created_at) >= before
    is_told_since = or_(Delivery.ended_at.is_(None), Delivery.ended_at >= before)
    is_news = Notification.applied_at.is_(None)
    return and_(
        intents.is_in(intents.ENDED),
        RequestSet.look_at.is_(None),
        RequestSet.recheck_at.is_(None),
        RequestSet.doubled_at.is_(None),
        RequestSet.twin_of.is_(None),
        RequestSet.flag.is_(None),
        RequestSet.created_at < before,
        *(_is_none_or_before(moment, before) for moment in _MOMENTS),
        ~exists().where(second.twin_of == RequestSet.id),
        ~exists().where(Notification.request_set_id == RequestSet.id, is_news),
        ~exists().where(Submission.request_set_id == RequestSet.id, is_sent_since),
        ~exists().where(Delivery.request_set_id == RequestSet.id, is_told_since),
        RequestSet.id.not_in(_planned(before)),
    )


_MOMENTS: Sequence[InstrumentedAttribute[datetime | None]] = (
    RequestSet.collected_at,
    RequestSet.abandoned_at,
    RequestSet.hinted_at,
    RequestSet.looked_at,
)


def _is_none_or_before(
    moment: InstrumentedAttribute[datetime | None], before: datetime
) -> ColumnElement[bool]:
    return or_(moment.is_(None), moment < before)


def _planned(before: datetime) -> Any:
    """The sets that a plan is still to act on, or may be confirmed to."""
    to_come = select(ActionPlanItem.request_set_id).where(ActionPlanItem.due_at.is_not(None))
    unconfirmed = select(ActionPlan.id).where(
        ActionPlan.confirmed_at.is_(None), ActionPlan.expires_at >= before
    )
    asked = select(ActionPlanItem.request_set_id).where(ActionPlanItem.plan_id.in_(unconfirmed))
    return to_come.union_all(asked)


def next_page(session: Session, *, before: datetime, after: int) -> Page:
    """Lock the next sets that are over, and return them; ``after`` is where the last page ended.

    Numbers go up with time, so they are walked from the oldest set, and each is passed once. A set
    goes with all that was sent again of it, or not at all.
    """
    rows = session.execute(
        select(RequestSet.id, RequestSet.created_at, RequestSet.spec_count)
        .where(RequestSet.id > after)
        .order_by(RequestSet.id)
        .limit(_SETS_A_STEP)
    ).all()
    # One that a wrong clock made young does not end the walk.
    if all(row.created_at >= before for row in rows):
        return Page((), last=None)
    numbers = [
        row.id
        for row, requests in zip(rows, accumulate(row.spec_count for row in rows), strict=True)
        if row is rows[0] or requests <= _REQUESTS_A_STEP
    ]
    families = _families(session, numbers, before=before)
    return Page([number for family in families for number in family], last=numbers[-1])


def _families(
    session: Session, numbers: Collection[int], *, before: datetime
) -> list[Collection[int]]:
    """Return which sets go, with all that was sent again of each: all of a family, or none.

    While a set is locked, nobody can send any more of it again.
    """
    parent = aliased(RequestSet)
    has_parent = exists().where(parent.id == RequestSet.parent_id)
    families = {root: [root] for root in _lock(session, numbers, ~has_parent, is_over(before))}
    root_of = {root: root for root in families}
    youngest: Collection[int] = list(families)
    while youngest:
        children = session.execute(
            select(RequestSet.id, RequestSet.parent_id).where(RequestSet.parent_id.in_(youngest))
        ).all()
        over = _lock(session, [child.id for child in children], is_over(before))
        for child in children:
            root_of[child.id] = root_of[child.parent_id]
            if child.id not in over:
                families.pop(root_of[child.id], None)
            elif root_of[child.id] in families:
                families[root_of[child.id]].append(child.id)
        youngest = [child.id for child in children if root_of[child.id] in families]
    return list(families.values())


def _lock(session: Session, numbers: Collection[int], *conditions: ColumnElement[bool]) -> set[int]:
    """Lock those of some sets that meet conditions and that nobody has in hand."""
    return set(
        session.scalars(
            select(RequestSet.id)
            .where(RequestSet.id.in_(numbers), *conditions)
            .with_for_update(skip_locked=True)
        )
    )


def count_requests(session: Session, numbers: Collection[int]) -> int:
    """Count the requests of some sets."""
    counted = select(func.count()).where(Request.request_set_id.in_(numbers))
    return session.execute(counted).scalar_one()


def remove_sets(session: Session, numbers: Collection[int]) -> None:
    """Remove sets that ``next_page`` locked, with all that belongs to them.

    A notification that comes at this very moment is kept, as one that comes later is: it is not
    applied yet, and whatever came before is.
    """
    deliveries = select(Delivery.id).where(Delivery.request_set_id.in_(numbers))
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(deliveries)))
    for model in _OF_A_SET:
        of_set = model.id if model is RequestSet else model.request_set_id
        is_known = (Notification.applied_at.is_not(None),) if model is Notification else ()
        session.execute(delete(model).where(of_set.in_(numbers), *is_known))


def remove_orphans(session: Session, *, before: datetime) -> int:
    """Remove some applied notifications from before a moment that are of no set in SQL.

    Returns how many.
    """
    is_known = exists().where(RequestSet.id == Notification.request_set_id)
    found = (
        select(Notification.id)
        .where(
            Notification.account_id.is_(None),
            Notification.received_at < before,
            Notification.applied_at.is_not(None),
            ~is_known,
        )
        .order_by(Notification.received_at, Notification.id)
        .limit(_NOTIFICATIONS_A_STEP)
    )
    numbers = session.scalars(found).all()
    session.execute(delete(Notification).where(Notification.id.in_(numbers)))
    return len(numbers)


def remove_plan(session: Session, *, before: datetime) -> int:
    """Remove a plan that was never confirmed, or done to the last set, before a moment.

    Returns how many: one, or none where there is no such plan.
    """
    of_plan = ActionPlanItem.plan_id == ActionPlan.id
    is_none_or_since = or_(ActionPlanItem.ended_at.is_(None), ActionPlanItem.ended_at >= before)
    is_ended = or_(ActionPlan.confirmed_at.is_(None), ~exists().where(of_plan, is_none_or_since))
    plans = session.scalars(
        select(ActionPlan.id)
        .where(ActionPlan.expires_at < before, is_ended)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(delete(ActionPlanItem).where(ActionPlanItem.plan_id.in_(plans)))
    session.execute(delete(ActionPlan).where(ActionPlan.id.in_(plans)))
    return len(plans)


def sets_in(session: Session, partition: Partition, *, after: int) -> list[int]:
    """Return the next sets of which a partition holds rows, by their numbers.

    None where somebody dropped it meanwhile.
    """
    if not partitions.hold(session, partition):
        return []
    numbers = session.scalars(
        text(
            f"SELECT DISTINCT request_set_id FROM {partition.name} "  # noqa: S608  # a name of our own
            "WHERE request_set_id > :after ORDER BY request_set_id LIMIT :most"
        ),
        {"after": after, "most": _SETS_A_STEP},
    )
    return list(numbers)


def are_over(session: Session, numbers: Collection[int], *, before: datetime) -> bool:
    """Tell whether each of some sets is over with all of its family, or not in SQL at all."""
    kin = _kin(session, numbers)
    kept = select(RequestSet.id).where(RequestSet.id.in_(kin), ~is_over(before)).limit(1)
    return session.execute(kept).first() is None


def _kin(session: Session, numbers: Collection[int]) -> set[int]:
    """Return some sets, what they send again, and what was sent again of any of them.

    Not by one recursive statement: PostgreSQL expects so much of it that it compiles it first,
    which takes twenty times as long as to run it.
    """
    kin: set[int] = set()
    newest = set(numbers)
    while newest:
        kin |= newest
        is_near = or_(RequestSet.id.in_(newest), RequestSet.parent_id.in_(newest))
        near = session.execute(select(RequestSet.id, RequestSet.parent_id).where(is_near))
        newest = {number for row in near for number in row if number is not None} - kin
    return kin
