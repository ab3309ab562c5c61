"""Do what a person asks for, and keep who asked for it, when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Collection

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.graph.score import WRITE_POINTS
from receiver.lifecycle import decide, spending
from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.decide import CannotDecide
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.waiting import AccountParked, check_wait, keep_wait
from receiver.store import audit, waits
from receiver.store.audit import Actor, Deed
from receiver.store.models import RequestSet


def perform(tools: Tools, row: RequestSet, action: str, *, by: Actor) -> Done:
    """Do one of ACTIONS to a set.

    What asks Facebook is not begun while its account waits or cannot pay for it. Raises Refused,
    NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    asks_as = ACTIONS[action].asks_as
    if asks_as is not None:
        _check_wait(tools, row.account_id)
        spending.check(tools, row.account_id, cost=WRITE_POINTS, purpose=asks_as)
    deed = Deed(action, row.account_id, row.id)
    return _audited(tools, deed, by=by, do=lambda: ACTIONS[action].run(tools, row))


def adopt(tools: Tools, row: RequestSet, *, facebook_id: int, by: Actor) -> Done:
    """Say that Facebook's set is this one. Raises as ``perform`` does."""

    def do() -> Done:
        decide.adopt(tools, row.id, facebook_id=facebook_id)
        return Done(f"Set {row.id} is open as {facebook_id}: the worker collects its results.")

    _check_wait(tools, row.account_id)
    deed = Deed("adopt", row.account_id, row.id, detail=f"as {facebook_id}")
    return _audited(tools, deed, by=by, do=do)


def abandon(tools: Tools, row: RequestSet, *, reason: str, by: Actor) -> Done:
    """Give up a set without an outcome. Raises as ``perform`` does."""

    def do() -> Done:
        decide.abandon(tools, row.id, reason=reason)
        return Done(f"Set {row.id} is given up: it is never sent again.")

    deed = Deed("abandon", row.account_id, row.id, detail=reason)
    return _audited(tools, deed, by=by, do=do)


def retry_account(
    tools: Tools, account_id: int, *, held: Collection[int] | None = None, by: Actor
) -> Done:
    """End an account's wait: what waited for it is due now. Raises DatabaseAway.

    The wait of its credential ends too where everybody whom that concerns is among the ``held``
    accounts; None stands for all accounts there are.
    """

    def do() -> Done:
        with tools.database.writing() as session:
            others = waits.sharing(session, account_id) - {account_id}
            if held is None or others <= set(held):
                waits.end(session, [account_id], now=tools.now())
                return Done(f"act_{account_id} is asked again from now on.")
            waits.end_own(session, account_id, now=tools.now())
            left = waits.of_account(session, account_id, now=tools.now())
        if left is None:
            return Done(f"act_{account_id} is asked again from now on.")
        return Done(
            f"act_{account_id} itself waits no longer. Its token does, which accounts share that "
            "are not yours: 'receiver account resume' ends the wait for all of them."
        )

    return _audited(tools, Deed("retry", account_id), by=by, do=do)


def _check_wait(tools: Tools, account_id: int) -> None:
    try:
        check_wait(tools, account_id)
    except AccountParked as error:
        raise Refused(str(error)) from error


def _audited(tools: Tools, deed: Deed, *, by: Actor, do: Callable[[], Done]) -> Done:
    """Write that something is being done before it is, and afterwards how it ended."""
    with tools.database.writing() as session:
        entry_id = audit.begin(session, deed, by=by, now=tools.now())
    outcome, note = audit.FAILED, "an unforeseen error"
    try:
        done = _done_or_refused(tools, deed.account_id, do)
        outcome, note = audit.DONE, done.note
    except Refused as error:
        outcome, note = audit.REFUSED, str(error)
        raise
    except (NoPoints, CallFailed, CannotOpen) as error:
        note = str(error)
        raise
    finally:
        with tools.database.writing() as session:
            audit.end(session, entry_id, outcome=outcome, note=note)
    # Most of what people do makes something due at once.
    tools.wake(deed.account_id)
    return done


def _done_or_refused(tools: Tools, account_id: int, do: Callable[[], Done]) -> Done:
    """Do it; whatever stays a refusal however often it is asked for is one: Refused.

    The wait that a failed call asks for is kept.
    """
    try:
        return do()
    except CannotDecide as error:
        raise Refused(str(error)) from error
    except CallFailed as error:
        keep_wait(tools, account_id, error)
        if error.is_final:
            raise Refused(f"Facebook refused it: {error}") from error
        raise
