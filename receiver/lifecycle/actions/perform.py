"""Do what a person asks for, and keep who asked for it, when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable

from receiver.crypto import CannotOpen
from receiver.graph.errors import Advice, CallFailed, GraphError
from receiver.lifecycle import decide
from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.decide import CannotDecide
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.waiting import keep_wait
from receiver.store import audit, waits
from receiver.store.audit import Actor, Deed
from receiver.store.models import RequestSet


def perform(tools: Tools, row: RequestSet, action: str, *, by: Actor) -> Done:
    """Do one of ACTIONS to a set.

    Raises Refused, NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    deed = Deed(action, row.account_id, row.id)
    return _audited(tools, deed, by=by, do=lambda: ACTIONS[action].run(tools, row))


def adopt(tools: Tools, row: RequestSet, *, facebook_id: int, by: Actor) -> Done:
    """Say that Facebook's set is this one. Raises as ``perform`` does."""

    def do() -> Done:
        decide.adopt(tools, row.id, facebook_id=facebook_id)
        return Done(f"Set {row.id} is open as {facebook_id}: the worker collects its results.")

    deed = Deed("adopt", row.account_id, row.id, detail=f"as {facebook_id}")
    return _audited(tools, deed, by=by, do=do)


def abandon(tools: Tools, row: RequestSet, *, reason: str, by: Actor) -> Done:
    """Give up a set without an outcome. Raises as ``perform`` does."""

    def do() -> Done:
        decide.abandon(tools, row.id, reason=reason)
        return Done(f"Set {row.id} is given up: it is never sent again. Reason: {reason}")

    deed = Deed("abandon", row.account_id, row.id, detail=reason)
    return _audited(tools, deed, by=by, do=do)


def retry_account(tools: Tools, account_id: int, *, by: Actor) -> Done:
    """End every wait of an account and of its credential. Raises DatabaseAway."""

    def do() -> Done:
        with tools.database.writing() as session:
            waits.end(session, [account_id])
        return Done(f"act_{account_id} is asked again from now on.")

    return _audited(tools, Deed("retry", account_id), by=by, do=do)


def _audited(tools: Tools, deed: Deed, *, by: Actor, do: Callable[[], Done]) -> Done:
    """Write that something is being done before it is, and afterwards how it ended."""
    with tools.database.writing() as session:
        entry_id = audit.begin(session, deed, by=by, now=tools.now())
    outcome, detail = audit.FAILED, "an unforeseen error"
    try:
        done = do()
        outcome, detail = audit.DONE, done.note
    except CannotDecide as error:
        outcome, detail = audit.REFUSED, str(error)
        raise Refused(str(error)) from error
    except Refused as error:
        outcome, detail = audit.REFUSED, str(error)
        raise
    except GraphError as error:
        keep_wait(tools, deed.account_id, error)
        detail = str(error)
        if error.advice is Advice.NEVER_REPEAT:
            outcome = audit.REFUSED
            raise Refused(f"Facebook refused it: {error}") from error
        raise
    except (NoPoints, CallFailed, CannotOpen) as error:
        detail = str(error)
        raise
    finally:
        with tools.database.writing() as session:
            audit.end(session, entry_id, outcome=outcome, detail=detail)
    return done
