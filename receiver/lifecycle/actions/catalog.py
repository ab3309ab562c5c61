"""Every action on a set: what it does, to which sets, and what it costs at Facebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from receiver.graph.score import READ_POINTS, WRITE_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT, MODE_ON_COMPLETE
from receiver.lifecycle.actions import here, there
from receiver.lifecycle.actions.outcome import Done
from receiver.lifecycle.actions.resubmit import resubmit
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.tools import Tools
from receiver.store import intents
from receiver.store.models import RequestSet


@dataclass(frozen=True)
class Action:
    """One thing that people do to sets in some ``states``, one set or many.

    ``label`` and ``means`` are for people; ``points`` says what one set of a size costs, at least
    where it ``may_cost_more``. ``asks_as`` is whose share of the points its own calls to Facebook
    may use; None where it makes none, because it only writes down what a worker is to do.
    ``points_here`` tells that it names the present public URL. One that ``tells_caller`` fits only
    sets whose caller asked to be told.
    """

    name: str
    label: str
    means: str
    states: tuple[str, ...]
    run: Callable[[Tools, RequestSet], Done]
    points: Callable[[int], int]
    asks_as: Purpose | None = None
    has_errors: bool | None = None
    tells_caller: bool = False
    may_cost_more: bool = False
    points_here: bool = False

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Tell whether it may be done to a set, by the columns of its row."""
        return (
            row["state"] in self.states
            and self.has_errors in (None, bool(row["error_count"]))
            and (not self.tells_caller or row["caller_notification_mode"] == MODE_ON_COMPLETE)
        )


def _nothing(_spec_count: int) -> int:
    return 0


def _one_write(_spec_count: int) -> int:
    return WRITE_POINTS


def _all_pages(spec_count: int) -> int:
    return READ_POINTS * (1 + ceil(spec_count / MAX_PAGE_LIMIT))


def _one_read(_spec_count: int) -> int:
    return READ_POINTS


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            "look",
            "Look now",
            "Asks Facebook how the set stands as soon as the account's limit allows.",
            (intents.UNKNOWN, intents.OPEN, intents.COMPLETED, intents.STUCK),
            here.look,
            _one_read,
        ),
        Action(
            "collect",
            "Collect again",
            "Reads every request's result once more; what is known stays.",
            (intents.COLLECTED,),
            here.collect,
            _all_pages,
        ),
        Action(
            "cancel",
            "Cancel",
            "Cancels what Facebook has not processed yet. Ads that were made stay.",
            (intents.OPEN,),
            there.cancel,
            _one_write,
            asks_as=Purpose.CREATE,
        ),
        Action(
            "repoint",
            "Re-point",
            "Tells Facebook the notification URL under the present public URL and key.",
            (intents.OPEN, intents.COMPLETED),
            there.repoint,
            _one_write,
            asks_as=Purpose.POLL,
            points_here=True,
        ),
        Action(
            "resubmit",
            "Send failures again",
            "Sends only the failed requests again, as a new set that names this one.",
            (intents.COLLECTED,),
            resubmit,
            _one_write,
            asks_as=Purpose.CREATE,
            has_errors=True,
            # Whether failures may have made ads is read: how many pages, nobody knows before.
            may_cost_more=True,
        ),
        Action(
            "replay",
            "Tell the caller again",
            "Sends the caller's notification once more, under the same message id.",
            (intents.COLLECTED,),
            here.replay,
            _nothing,
            tells_caller=True,
        ),
    )
}
