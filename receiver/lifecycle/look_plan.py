"""Which way the sets that are due are asked about: what each costs in points decides (pure).

A single read, an operation of a batch and an id cost a point each; a page of the account's list
costs one for up to 500 sets, but shows only the complete ones, and perhaps old ones first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store.claims import Claim, DueSet
from receiver.store.intents import OPEN

_SWEPT_LEAST = 8
"""For fewer sets a sweep saves too little to be worth finding out late."""

_SHARE_OF_BATCH = 0.25
"""A sweep may cost a quarter of what it replaces."""

_EXPANDED_UNSEEN = 50
"""Up to this many requests are read with a set of which nothing tells whether it is complete."""

_MOST_PAGES = 20
_DIRECT_EVERY = 8
"""Each set is read by itself now and then: a list may never show it."""

_ALONE_EVERY = 4
"""After so many looks that led to nothing, a set that failed is read in a call of its own."""

ALONE_MOST = 3
"""So many of them in one step: where all fail each takes minutes, and a worker may have to end."""


@dataclass(frozen=True)
class Due:
    """A set that is to be looked at.

    ``is_expected``: a notification or an earlier look speaks for its being complete.
    """

    request_set_id: int
    edge: str
    quiet_looks: int
    is_expected: bool


@dataclass(frozen=True)
class LookPlan:
    """Which sets are read by themselves, and which are looked for on the account's list."""

    direct: tuple[int, ...]
    swept: tuple[int, ...] = ()
    page_budget: int = 0

    @property
    def way(self) -> str:
        """How it is done, in a word for people."""
        if self.swept:
            return "sweep"
        return "batch" if len(self.direct) > 1 else "single"

    @property
    def points(self) -> int:
        """What it costs at the most, without the requests of what is found complete."""
        return len(self.direct) + self.page_budget


def is_expected(one: Claim | DueSet) -> bool:
    """Tell whether something speaks for a set's being complete, or whether that is known."""
    return one.state != OPEN or one.why == "notification"


def is_alone(claim: Claim) -> bool:
    """Tell whether a set is read alone this time: what else is in its calls may make them fail."""
    return claim.state_reason is not None and claim.quiet_looks % _ALONE_EVERY == 0


def as_due(one: Claim | DueSet) -> Due:
    """Return what the plan goes by. One that waits for its URI is told it by a direct look."""
    return Due(
        one.request_set_id,
        edge=one.edge,
        quiet_looks=one.quiet_looks,
        is_expected=is_expected(one) or one.uri_pending,
    )


def plan_looks(due: Sequence[Due], *, sweep_pages: float | None) -> LookPlan:
    """Plan the looks at an account's due sets.

    ``sweep_pages`` is how many pages the account's sweeps took of late; None for never swept.
    """
    polls = [each for each in due if _may_be_swept(each)]
    budget = min(_MOST_PAGES, math.floor(len(polls) * _SHARE_OF_BATCH))
    if len(polls) < _SWEPT_LEAST or (sweep_pages or 1.0) > budget:
        return LookPlan(tuple(each.request_set_id for each in due))
    swept = {each.request_set_id for each in polls}
    direct = tuple(each.request_set_id for each in due if each.request_set_id not in swept)
    return LookPlan(direct, tuple(swept), page_budget=budget)


def _may_be_swept(due: Due) -> bool:
    is_turn = due.quiet_looks > 0 and due.quiet_looks % _DIRECT_EVERY == 0
    return not due.is_expected and not is_turn and due.edge == AD_SETS_EDGE


def reads_requests(*, is_expected: bool, spec_count: int, is_past_usual: bool) -> bool:
    """Tell whether a set's requests are read with it: worth it only where it may be complete.

    ``is_past_usual``: sets of its size are usually complete at its age.
    """
    return is_expected or is_past_usual or spec_count <= _EXPANDED_UNSEEN


def remembered(before: float | None, pages: int) -> float:
    """Return how many pages sweeps take, the newest one counted by a third."""
    return float(pages) if before is None else before + (pages - before) / 3
