"""Read the edge of an account that lists sets, to its last page: what tells whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.graph.client import Answered, Credential
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import ALL_SETS_EDGE, BATCHES_EDGE
from receiver.graph.wire import SetsPage
from receiver.lifecycle.evidence import Sweep
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import reserve
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.waiting import note_usage

_MAX_PAGES = 200
"""With full pages, a hundred thousand sets; a list without an end is given up here."""
_PAGE_LIMIT = 500


def pages(
    tools: Tools, credential: Credential, account_id: int, *, edge: str, into: Sweep
) -> Iterator[Answered[SetsPage]]:
    """Yield the pages that list what is created on ``edge``, and note in ``into`` how far they go.

    A list that repeats a cursor is not taken for whole. Raises NoPoints, CallFailed, DatabaseAway.
    """
    after: str | None = None
    seen: set[str] = set()
    while len(seen) < _MAX_PAGES:
        reserve(tools, account_id, cost=READ_POINTS, purpose=Purpose.POLL)
        answered = tools.client.read_account_sets(
            credential, account_id, edge=_listed_on(edge), after=after, limit=_PAGE_LIMIT
        )
        note_usage(tools, account_id, answered.usage)
        if after is None:
            into.date = answered.date
        after = answered.value.after
        into.is_whole = after is None
        into.unreadable += answered.value.unreadable
        yield answered
        if after is None or after in seen:
            return
        seen.add(after)


def _listed_on(edge: str) -> str:
    """Return the edge that lists what is created on one: async batches have none of their own."""
    return ALL_SETS_EDGE if edge == BATCHES_EDGE else edge
