"""Do what a key's holder asks for, for the admin API and the dashboard alike.

Everything here raises Problem for what is not there or cannot be done, and DatabaseAway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle import bulk, choosing
from receiver.lifecycle.actions import perform
from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.bulk import NoSuchPlan, NotNow
from receiver.lifecycle.choosing import Planned
from receiver.lifecycle.spending import NoPoints
from receiver.store import reports
from receiver.store.models import RequestSet
from receiver.web.admin import cursors, plan_words, reading
from receiver.web.admin.cursors import Asked, BadCursor
from receiver.web.admin.holder import actor, holder
from receiver.web.admin.parameters import SetFilters
from receiver.web.admin.problems import Problem
from receiver.web.context import outgoing_slots, parts
from receiver.web.slots import NoSlot

_SORT = "-created_at"
"""A plan chooses its sets in the order of their list."""


def act(number: int, action: str) -> Done:
    """Do something to one set."""
    row, by = _find_row(number), actor()

    def do() -> Done:
        return perform.perform(parts().tools, row, action, by=by)

    return _attempt(row, do, asks_facebook=ACTIONS[action].asks_as is not None)


def adopt(number: int, *, facebook_id: int) -> Done:
    """Say which set at Facebook a set without an outcome is."""
    row, by = _find_row(number), actor()

    def do() -> Done:
        return perform.adopt(parts().tools, row, facebook_id=facebook_id, by=by)

    return _attempt(row, do, asks_facebook=True)


def abandon(number: int, *, reason: str) -> Done:
    """Give up a set without an outcome: it is never sent again."""
    row, by = _find_row(number), actor()

    def do() -> Done:
        return perform.abandon(parts().tools, row, reason=reason, by=by)

    return _attempt(row, do, asks_facebook=False)


def retry(account_id: int) -> Done:
    """Ask Facebook again for an account that waits, or that was parked until a person acted."""
    held = holder().account_ids
    if account_id not in held:
        raise Problem(404, f"act_{account_id} is not an account of yours.")
    return perform.retry_account(parts().tools, account_id, held=held, by=actor())


@dataclass(frozen=True)
class Made:
    """A plan, and where to plan the rest from; None where it took all."""

    planned: Planned
    next_cursor: str | None


def plan(action: str, filters: SetFilters, *, cursor: str | None = None) -> Made:
    """Plan an action on the sets that meet some filters: nothing is done before a confirmation.

    ``cursor`` is where another plan ended that could not take them all.
    """
    asked = Asked(f"plan to {action}", sort=_SORT, filters=filters.model_dump(mode="json"))
    try:
        after = None if cursor is None else cursors.read_cursor(cursor, asked)
    except BadCursor as error:
        raise Problem(400, f"cursor: {error}") from error
    planned = choosing.make(
        parts().tools,
        action,
        reading.set_filter(filters),
        detail=plan_words.of_filters(filters),
        by=actor(),
        after=after,
    )
    key = planned.next_key
    return Made(planned, next_cursor=None if key is None else cursors.write_cursor(key, asked))


def confirm(plan_id: str) -> None:
    """Let a plan be done: the worker acts on one set after another."""
    with _worded():
        bulk.confirm(parts().tools, plan_id, by=actor())


def stop(plan_id: str) -> None:
    """Leave what a confirmed plan has not done yet."""
    with _worded():
        bulk.stop(parts().tools, plan_id, by=actor())


@contextmanager
def _worded() -> Iterator[None]:
    try:
        yield
    except NoSuchPlan as error:
        raise Problem(404, str(error)) from error
    except NotNow as error:
        raise Problem(409, str(error)) from error


def _find_row(number: int) -> RequestSet:
    with parts().database.reading() as session:
        row = reports.find_row(session, number)
    if row is None or row.account_id not in holder().account_ids:
        raise reading.no_such_set(number)
    return row


def _attempt(row: RequestSet, do: Callable[[], Done], *, asks_facebook: bool) -> Done:
    """Act, and word what goes wrong. Only what waits for Facebook takes a slot."""
    try:
        with outgoing_slots().slot(row.account_id) if asks_facebook else nullcontext():
            return do()
    except Refused as error:
        raise Problem(409, str(error)) from error
    except NoSlot as error:
        raise Problem(503, "Too many calls wait for Facebook: try again.") from error
    except NoPoints as error:
        seconds = max(1, round((error.resume_at - parts().now()).total_seconds()))
        detail = f"{error} Try again in {seconds} seconds."
        raise Problem(429, detail, headers={"Retry-After": str(seconds)}) from error
    except CallFailed as error:
        raise Problem(502, f"Facebook did not do it: {error}") from error
    except CannotOpen as error:
        raise Problem(503, "The account's credential cannot be opened: see the log.") from error
