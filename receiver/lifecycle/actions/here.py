"""The actions that only write to SQL: look now, collect again, tell the caller again."""

from __future__ import annotations

from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.tools import Tools
from receiver.store import changes
from receiver.store.models import RequestSet


def look(tools: Tools, row: RequestSet) -> Done:
    """Make a set that has no end due at once. Raises Refused, DatabaseAway."""
    with tools.database.writing() as session:
        if not changes.look_now(session, row.id, now=tools.now()):
            raise Refused(f"Set {row.id} is {row.state}: there is nothing left to look at.")
    return Done(f"Set {row.id} is looked at as soon as a worker and its account's limit allow.")


def collect(tools: Tools, row: RequestSet) -> Done:
    """Read every result of a collected set once more. Raises Refused, DatabaseAway.

    What is in SQL stays: a reading only ever adds to it.
    """
    with tools.database.writing() as session:
        if not changes.collect_again(session, row.id, now=tools.now()):
            raise Refused(
                f"Set {row.id} is {row.state}: only a collected set can be collected again."
            )
    return Done(f"The results of set {row.id} are read once more.")


def replay(tools: Tools, row: RequestSet) -> Done:
    """Tell a set's caller once more, under the same message id. Raises Refused, DatabaseAway."""
    with tools.database.writing() as session:
        if not changes.replay(session, row.id, now=tools.now()):
            raise Refused(
                f"Set {row.id} has nothing to tell again: its caller asked for no notification, "
                "or is being told just now."
            )
    return Done(f"The caller of set {row.id} is told once more.")
