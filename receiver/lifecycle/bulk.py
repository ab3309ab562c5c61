"""An action on many sets, once it is planned: confirmed, stopped, done one set at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle.actions.outcome import Refused
from receiver.lifecycle.actions.perform import perform
from receiver.lifecycle.plan import lease_until
from receiver.lifecycle.put_off import in_words
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.store import action_plans, audit, intents, keys, reports, waits
from receiver.store.action_plans import ItemClaim
from receiver.store.audit import Actor
from receiver.store.database import DatabaseAway, Session
from receiver.store.models import RequestSet

log = structlog.get_logger(__name__)

_TRIED_AGAIN_AFTER = timedelta(seconds=30)
_TRIES_MOST = 5
_STOPPED = "The plan was stopped."


class NoSuchPlan(Exception):
    """The plan is not there, or is another's; the message says so."""


class NotNow(Exception):
    """The plan is not, or no more, where this can be done to it; the message says why."""


def confirm(tools: Tools, plan_id: str, *, by: Actor) -> None:
    """Let a plan be done. Raises NoSuchPlan, NotNow, DatabaseAway."""
    now = tools.now()
    with tools.database.writing() as session:
        found = _find(session, plan_id, by=by)
        if not action_plans.confirm(session, plan_id, now=now):
            raise NotNow(
                "This plan was confirmed before."
                if found["confirmed_at"]
                else "This plan is out of date: make a new one."
            )
        audit.confirmed(session, plan_id, by=by, now=now)


def stop(tools: Tools, plan_id: str, *, by: Actor) -> None:
    """Leave what a confirmed plan has not done yet. Raises NoSuchPlan, NotNow, DatabaseAway."""
    with tools.database.writing() as session:
        _find(session, plan_id, by=by)
        if not action_plans.stop(session, plan_id, by=by, note=_STOPPED, now=tools.now()):
            raise NotNow("This plan is not under way: there is nothing to stop.")


def _find(session: Session, plan_id: str, *, by: Actor) -> dict[str, Any]:
    found = action_plans.find(session, plan_id, by=by)
    if found is None:
        raise NoSuchPlan("There is no such plan of yours.")
    return found


def claim_next(
    tools: Tools, *, passing_over: Collection[int] = frozenset(), plan_id: str | None = None
) -> ItemClaim | None:
    """Claim a set that a confirmed plan, or this one, waits to act on. Raises DatabaseAway."""
    now = tools.now()
    with tools.database.reading() as session:
        if not action_plans.is_any_due(
            session,
            now=now,
            public_url=tools.public_url,
            passing_over=passing_over,
            plan_id=plan_id,
        ):
            return None
    with tools.database.writing() as session:
        return action_plans.claim_due(
            session,
            now=now,
            lease_until=lease_until(tools.pace, now=now),
            public_url=tools.public_url,
            passing_over=passing_over,
            plan_id=plan_id,
        )


def act(tools: Tools, claim: ItemClaim) -> None:
    """Act on one set of a plan; what cannot be done now is tried again. Raises DatabaseAway."""
    with bound_contextvars(
        plan_id=claim.plan_id, request_set_id=claim.request_set_id, account_id=claim.account_id
    ):
        # A worker that the action kills never comes to count the try as failed.
        if claim.tries > _TRIES_MOST:
            note = f"It was begun {_TRIES_MOST} times, and never came to an end."
            _finish(tools, claim, outcome=audit.FAILED, note=note)
            return
        with tools.database.reading() as session:
            row = reports.find_row(session, claim.request_set_id)
            refusal = _refusal(session, claim, now=tools.now())
        if row is None or refusal is not None:
            note = refusal or "The set is not there any more."
            _finish(tools, claim, outcome=audit.REFUSED, note=note)
            return
        _try(tools, claim, row)


def _refusal(session: Session, claim: ItemClaim, *, now: datetime) -> str | None:
    """Return why a plan may not go on with a set, whatever it stood for when it was confirmed."""
    if claim.is_stopped:
        return _STOPPED
    if claim.actor.api_key_id is None:
        return None
    holder = keys.find_holder(session, claim.actor.api_key_id, now=now)
    if holder is None:
        return "The key that made the plan was revoked, or has expired."
    if holder.is_read_only:
        return "The key that made the plan may only read."
    if claim.account_id not in holder.account_ids:
        return "The key that made the plan may not use the set's account."
    return None


def _try(tools: Tools, claim: ItemClaim, row: RequestSet) -> None:
    try:
        done = perform(tools, row, claim.action, by=_of_plan(claim))
    except Refused as error:
        came_of_it = _came_of_an_earlier_try(tools, claim)
        outcome = audit.REFUSED if came_of_it is None else audit.DONE
        _finish(tools, claim, outcome=outcome, note=came_of_it or str(error))
    except NoPoints as error:
        with tools.database.writing() as session:
            action_plans.postpone_account(session, claim, due_at=error.resume_at, note=str(error))
    except DatabaseAway:
        raise
    except Exception as error:  # a set that nobody foresaw must not be tried for ever
        if not isinstance(error, (CallFailed, CannotOpen)):
            log.exception("An action failed")
        _try_again(tools, claim, note=in_words(error))
    else:
        _finish(tools, claim, outcome=audit.DONE, note=done.note)


def _of_plan(claim: ItemClaim) -> Actor:
    return replace(claim.actor, name=f"{claim.actor.name}, plan {claim.plan_id}")


def _came_of_an_earlier_try(tools: Tools, claim: ItemClaim) -> str | None:
    """Say what an earlier try of a refused action led to all the same; None where it did not.

    Its answer was lost, or its worker was slower than its lease.
    """
    if claim.tries == 1:
        return None
    with tools.database.reading() as session:
        if claim.action == "resubmit":
            child = action_plans.sent_again_since(
                session, claim.request_set_id, since=claim.confirmed_at
            )
            return None if child is None else f"Its failures are sent again as set {child}."
        row = reports.find_row(session, claim.request_set_id)
        is_over = row is not None and row.state in (intents.COMPLETED, intents.COLLECTED)
        if claim.action == "cancel" and row is not None and is_over and row.canceled_count:
            return f"{row.canceled_count} requests of it are canceled."
    return None


def _try_again(tools: Tools, claim: ItemClaim, *, note: str) -> None:
    """Let a set be tried again after a while, unless it was tried often enough."""
    now = tools.now()
    with tools.database.writing() as session:
        # What Facebook asks to wait for is passed over until then, and was no fault of the set's.
        counts = not waits.is_waiting(session, claim.account_id, now=now)
        if counts and claim.tries >= _TRIES_MOST:
            action_plans.finish(session, claim, outcome=audit.FAILED, note=note, now=now)
            return
        due_at = now + _TRIED_AGAIN_AFTER
        action_plans.postpone(session, claim, due_at=due_at, note=note, counts=counts)


def _finish(tools: Tools, claim: ItemClaim, *, outcome: str, note: str) -> None:
    with tools.database.writing() as session:
        action_plans.finish(session, claim, outcome=outcome, note=note, now=tools.now())
