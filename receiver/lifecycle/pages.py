"""Read the requests of complete sets at Facebook, page by page, those of several sets in a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Opened, Unchanged
from receiver.graph.client import Answered
from receiver.graph.errors import TOO_MUCH_DATA, CallFailed, GraphError, NoAnswer
from receiver.graph.looks import PageAsk
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import RequestsPage
from receiver.lifecycle import knowledge
from receiver.lifecycle.knowledge import Knowledge
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store.claims import Claim

ROWS_A_CALL = 5000
"""How many requests one answer may hold, which is some ten megabytes."""

_MAX_PAGES = 2000
"""More than a set has, even in the shortest pages: a cursor that never ends is given up here."""


@dataclass
class Unread:
    """How far the requests of a claimed set are read: ``after`` asks for the next page.

    ``calls`` is how many HTTP calls were made for it and stand on no page yet.
    """

    claim: Claim
    after: str | None = None
    calls: int = 0
    is_over: bool = False
    _cursors: set[str] = field(default_factory=set)

    def turn(self, page: RequestsPage) -> None:
        """Go on behind a page that was read."""
        self.after = page.after
        is_last = page.after is None or page.after in self._cursors
        self._cursors.add(page.after or "")
        self.is_over = is_last or len(self._cursors) >= _MAX_PAGES

    def rows_of_next(self, limit: int) -> int:
        """How many requests its next page has at the most."""
        return min(limit, self.claim.spec_count)


@dataclass(frozen=True)
class Page:
    """A page of a set's requests, when it was asked for and what that took."""

    unread: Unread
    value: RequestsPage
    read_at: datetime
    calls: int


@dataclass(frozen=True)
class Unreadable:
    """A set whose next page could not be read, and why."""

    unread: Unread
    error: CallFailed | CannotOpen | NoPoints
    read_at: datetime

    def error_after(self, calls: int) -> CallFailed | CannotOpen | NoPoints:
        """Return the error, with all calls for the set: those for pages that had come as well."""
        if not isinstance(self.error, CannotOpen):
            self.error.calls = calls + self.unread.calls
        return self.error


def page_limit(known: Knowledge) -> int:
    """How many requests a page of an account may have."""
    return known.page_limit or MAX_PAGE_LIMIT


def read_pages(
    tools: Tools, unread: Sequence[Unread], *, known: Knowledge
) -> list[Page | Unreadable]:
    """Read the next page of some sets of one account, in one call.

    One that is too much for Facebook is in neither: it is asked for again with half as many
    requests. Raises DatabaseAway.
    """
    started_at = tools.now()
    try:
        answered = _call(tools, unread, limit=page_limit(known))
    except (CallFailed, CannotOpen, NoPoints) as error:
        calls = 0 if isinstance(error, CannotOpen) else error.calls
        answers: Sequence[Opened[RequestsPage] | CannotOpen | NoPoints] = [error] * len(unread)
    else:
        calls, answers = answered.calls, answered.value
    unread[0].calls += calls
    is_halved = _halve_if_too_much(tools, unread[0].claim.account_id, answers, known=known)
    return [
        _read(one, answer, read_at=started_at)
        for one, answer in zip(unread, answers, strict=True)
        if not (is_halved and _is_too_much(answer))
    ]


def _call(
    tools: Tools, unread: Sequence[Unread], *, limit: int
) -> Answered[list[Opened[RequestsPage]]]:
    account_id = unread[0].claim.account_id
    credential = credential_of(tools, account_id)
    reserve(tools, account_id, cost=len(unread) * READ_POINTS, purpose=Purpose.COLLECT)
    asks = [PageAsk(one.claim.facebook_id or 0, one.after) for one in unread]
    answered = graph_looks.request_pages(tools.client, credential, asks, limit=limit)
    note_usage(tools, account_id, answered.usage)
    return answered


def _read(
    unread: Unread,
    answer: Opened[RequestsPage] | CannotOpen | NoPoints,
    *,
    read_at: datetime,
) -> Page | Unreadable:
    if isinstance(answer, Unchanged):
        # Nobody asked only for what is new.
        answer = NoAnswer("Facebook answered that nothing is new, which was not asked.")
    if isinstance(answer, (CallFailed, CannotOpen, NoPoints)):
        return Unreadable(unread, answer, read_at)
    calls, unread.calls = unread.calls, 0
    unread.turn(answer.value)
    return Page(unread, answer.value, read_at, calls=calls)


def _halve_if_too_much(
    tools: Tools, account_id: int, answers: Sequence[object], *, known: Knowledge
) -> bool:
    """Halve the page after an error that asks for less; False where it cannot be less."""
    if known.page_limit == 1 or not any(map(_is_too_much, answers)):
        return False
    knowledge.halve_page(tools, account_id, known=known)
    return True


def _is_too_much(answer: object) -> bool:
    return isinstance(answer, GraphError) and answer.code == TOO_MUCH_DATA
