"""Which accounts have a set to claim: found by indexes, however many sets are due, and whose.

An account that waits, or that others work for, may have had a hundred thousand sets due for longer
than anybody else. Whoever looks for the set that is due next must not walk past all of those.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations

from receiver.store.models import Account, Credential, RequestSet

_WINDOW = 100
"""How many of the sets that have been due for longest are read before one asks account by account.

Among them there nearly always is one to claim, and they cost the same with any number of accounts.
"""

OF_ANY_ACCOUNT = text("request_set.quiet_looks >= 0")
"""Always true, and the condition of the index of what is due of any account.

Whoever does not say it is not served by that index. PostgreSQL would else take it for the sets of
one account as well, wherever it believes that many of those are due, and walk past all the others.
"""

_IN_ORDER = (RequestSet.look_at.is_not(None), OF_ANY_ACCOUNT)
"""Of the sets that are due one day, the first in order; whether they are due now is asked of those.

PostgreSQL does not know how many are due now, for that changes with the clock. Where it believes
that they are few it reads all of them, and sorts them.
"""


def is_unclaimed(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Whether nobody has a set."""
    return or_(RequestSet.lease_expires_at.is_(None), RequestSet.lease_expires_at <= now)


def account_waits(
    now: datetime | BindParameter[Any],
    *,
    account_id: SQLCoreOperations[int] = RequestSet.account_id,
) -> ColumnElement[bool]:
    """Whether the account of a set, or of what else names one, may not be asked yet."""
    return exists().where(
        Account.id == account_id,
        Credential.id == Account.credential_id,
        or_(Account.resume_at > now, Credential.resume_at > now),
    )


def is_free_of(account_id: int, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whether a set is an account's, nobody has it, and the account may be asked.

    Where the account waits, nothing is equal to it: asked of each of its sets whether it does,
    a database reads all that are due.
    """
    account = select(Account.id).where(
        Account.id == account_id, ~account_waits(now, account_id=Account.id)
    )
    return (RequestSet.account_id == account.scalar_subquery(), is_unclaimed(now))


def has_any(session: Session, account_id: int, *, now: datetime) -> bool:
    """Tell whether an account has a set to claim."""
    due = select(RequestSet.id).where(RequestSet.look_at <= now, *is_free_of(account_id, now=now))
    return session.execute(due.order_by(RequestSet.look_at).limit(1)).first() is not None


def first_accounts(
    session: Session, *, now: datetime, most: int, passing_over: Collection[int] = frozenset()
) -> list[int]:
    """Return the first accounts of ``accounts``, at least one if there is any.

    What it costs depends neither on how many sets are open nor, but for when the sets that have
    been due for longest are all of accounts that are passed over, on how many accounts there are.
    """
    found = _accounts_in_window(session, now=now, most=most, passing_over=passing_over)
    if found or not _is_any_beyond_window(session, now=now):
        return found
    return accounts(session, now=now, most=most, passing_over=passing_over)


def accounts(
    session: Session, *, now: datetime, most: int, passing_over: Collection[int] = frozenset()
) -> list[int]:
    """Return accounts that have a set to claim, the one that has been due for longest first.

    Those that Facebook asked to wait are passed over, and so are those in ``passing_over``. One
    entry of an index is read for each account, however many of its sets are due.
    """
    due = _oldest_of_each(now).where(Account.id.not_in(passing_over)).subquery()
    return list(
        session.scalars(
            select(due.c.id).where(due.c.look_at.is_not(None)).order_by(due.c.look_at).limit(most)
        )
    )


def oldest_at(
    session: Session, *, now: datetime, account_ids: Collection[int] | None = None
) -> datetime | None:
    """Return since when the set has been due that could be claimed for longest; None without one.

    Of all accounts, or of some; those that Facebook asked to wait do not count.
    """
    oldest = _oldest_of_each(now)
    if account_ids is not None:
        oldest = oldest.where(Account.id.in_(account_ids))
    due = oldest.subquery()
    moment: datetime | None = session.execute(select(func.min(due.c.look_at))).scalar_one()
    return moment


def _oldest_of_each(now: datetime) -> Select[int, datetime | None]:
    """Each account that may be asked, and since when it has had a set to claim."""
    oldest = (
        select(RequestSet.look_at)
        .where(RequestSet.account_id == Account.id, RequestSet.look_at <= now, is_unclaimed(now))
        .order_by(RequestSet.look_at)
        .limit(1)
        .scalar_subquery()
    )
    return select(Account.id, oldest.label("look_at")).where(
        ~account_waits(now, account_id=Account.id)
    )


def _accounts_in_window(
    session: Session, *, now: datetime, most: int, passing_over: Collection[int]
) -> list[int]:
    bound = {"now": now, "most": most, "passing_over": list(passing_over)}
    return list(session.scalars(_in_window(), bound))


@cache
def _in_window() -> Select[int]:
    """Build the statement once: whoever has nothing to do asks it five times a second."""
    now: BindParameter[Any] = bindparam("now")
    passing_over: BindParameter[Any] = bindparam("passing_over", expanding=True)
    window = (
        select(RequestSet.account_id, RequestSet.look_at, is_unclaimed(now).label("is_unclaimed"))
        .where(*_IN_ORDER)
        .order_by(RequestSet.look_at)
        .limit(_WINDOW)
        .subquery()
    )
    due = (
        select(window.c.account_id, func.min(window.c.look_at).label("look_at"))
        .where(
            window.c.look_at <= now,
            window.c.is_unclaimed,
            window.c.account_id.not_in(passing_over),
        )
        .group_by(window.c.account_id)
        .subquery()
    )
    return (
        select(due.c.account_id)
        .where(~account_waits(now, account_id=due.c.account_id))
        .order_by(due.c.look_at)
        .limit(bindparam("most"))
    )


def _is_any_beyond_window(session: Session, *, now: datetime) -> bool:
    first = session.execute(_beyond_window()).scalar_one_or_none()
    return first is not None and first <= now


@cache
def _beyond_window() -> Select[datetime | None]:
    return (
        select(RequestSet.look_at)
        .where(*_IN_ORDER)
        .order_by(RequestSet.look_at)
        .offset(_WINDOW)
        .limit(1)
    )
