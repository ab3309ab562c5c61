"""Read the requests of complete sets at Facebook, page by page, those of several sets in a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from receiver.crypto import CannotOpen
from receiver.graph import looks as graph_looks
from receiver.graph.answers import Opened, Unchanged
from receiver.graph.client import Answered
from receiver.graph.errors import AnswerTooLate, CallFailed, NoAnswer, is_too_much, may_be_its_size
from receiver.graph.looks import BATCH_MOST, PageAsk
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.graph.wire import RequestsPage
from receiver.lifecycle import knowledge
from receiver.lifecycle.knowledge import SHORTEST_ON_TRIAL, Knowledge
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, points_left, reserve
from receiver.lifecycle.together import parts
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store.claims import Claim
from receiver.store.results import ReadPage

SetT = TypeVar("SetT")

_PAGES_A_CALL = 10
"""How many full pages one answer may hold: of 500 requests each, some ten megabytes."""

_MAX_PAGES = 2000
"""More than a set has, even in the shortest pages: a cursor that never ends is given up here."""

_MOST_TRIES = 12
"""How often a page that is too much is asked for again: in three smaller calls, nine times shorter.

Other threads' answers may make the account's calls grow meanwhile.
"""


_FORGOTTEN_SHARE = 1 / 8
"""How often a look that no page came for gives up the place where the one before ended."""


@dataclass
class Unread:
    """How far the requests of a claimed set are read: ``after`` asks for the next page.

    ``limit`` is how many requests a page of it may have where the account's others may have more;
    ``page_limit`` is that of later looks, None for as many as the others' have; ``calls`` is how
    many HTTP calls were made for it and stand on no page yet.
    """

    claim: Claim
    after: str | None = field(init=False)
    limit: int = field(init=False)
    page_limit: int | None = field(init=False)
    calls: int = 0
    is_over: bool = False
    _cursors: set[str] = field(default_factory=set)
    _tries: int = 0
    _failed_rows: int | None = None

    def __post_init__(self) -> None:
        self.after = self.claim.page_after
        self.page_limit = self.claim.page_limit
        self.limit = self.page_limit or MAX_PAGE_LIMIT

    def turn(self, page: RequestsPage, *, read_at: datetime) -> Page:
        """Go on behind a page that was read, and return it."""
        self.after = page.after
        is_repeated = page.after in self._cursors
        self._cursors.add(page.after or "")
        is_last = page.after is None or is_repeated or len(self._cursors) >= _MAX_PAGES
        self.is_over = is_last
        calls, self.calls, self._tries = self.calls, 0, 0
        if self._failed_rows is not None and page.requests:
            # One came where more did not: there are too many of them, and half may come.
            self._shorten_for_good(self._failed_rows)
        return Page(self, page, read_at, calls=calls, is_last=is_last)

    def place_after(self, error: Exception, *, chance: float) -> str | None:
        """Return the cursor with which the next look may go on; None for the first page.

        Facebook may have forgotten a cursor: one that nothing came for is given up, at once where
        it is refused for good, else now and then. ``chance`` lies between 0 and 1.
        """
        is_refused = isinstance(error, CallFailed) and error.is_final
        is_forgotten = is_refused or chance < _FORGOTTEN_SHARE
        is_good = bool(self._cursors) or isinstance(error, NoPoints) or not is_forgotten
        # PostgreSQL takes no NUL.
        return self.after if is_good and (self.after or "").isprintable() else None

    def ask_for_one(self, *, known: Knowledge) -> bool:
        """Ask for a single request after a page that did not come; False where that is no use.

        Where one comes, the page was too long; else Facebook is out of order. Once a look: where
        its pages are late, each try takes as long as is waited.
        """
        rows = self.rows_of_page(known=known)
        if rows == 1:
            return False
        if self._failed_rows is not None:
            self._shorten_for_good(rows)
            return False
        self._failed_rows, self.limit = rows, 1
        return True

    def _shorten_for_good(self, rows: int) -> None:
        self._failed_rows = rows
        self.page_limit = self.limit = max(1, rows // 2)

    def ask_again(self, *, is_call_smaller: bool, known: Knowledge) -> bool:
        """Ask for less of it after a page that was too much; False where that is no use."""
        self._tries += 1
        return self._tries <= _MOST_TRIES and (is_call_smaller or self._shorten(known=known))

    def _shorten(self, *, known: Knowledge) -> bool:
        """Ask for pages of half as many requests; False where they cannot be shorter.

        An error may pass: the first time, what is asked for may have no more requests anyway. The
        next times that would only cost points.
        """
        is_first = self.limit == MAX_PAGE_LIMIT
        before = self.limit_of_page(known) if is_first else self.rows_of_page(known=known)
        self.limit = max(1, before // 2)
        return self.limit < before

    def limit_of_page(self, known: Knowledge) -> int:
        """How many requests its next page may have."""
        return min(self.limit, known.rows_a_page)

    def rows_of_page(self, *, known: Knowledge) -> int:
        """How many requests its next page has at the most."""
        return min(self.limit_of_page(known), self.claim.spec_count)

    @property
    def taught_limit(self) -> int:
        """How many requests a page of the account's other sets may have, going by its own pages.

        A set that fills no long page says nothing of those, nor one whose pages never came.
        """
        is_like_others = self.page_limit is None and self._failed_rows is None
        is_long = self.claim.spec_count > SHORTEST_ON_TRIAL
        return self.limit if is_like_others and is_long else MAX_PAGE_LIMIT


@dataclass(frozen=True)
class Page:
    """A page of a set's requests, when it was asked for and what that took."""

    unread: Unread
    value: RequestsPage
    read_at: datetime
    calls: int
    is_last: bool

    def to_store(self) -> ReadPage:
        """Return it as the store takes it."""
        claim = self.unread.claim
        return ReadPage(
            claim.request_set_id, claim.account_id, self.value.requests, read_at=self.read_at
        )


@dataclass(frozen=True)
class Unreadable:
    """A set whose next page could not be read, and why."""

    unread: Unread
    error: CallFailed | CannotOpen | NoPoints
    read_at: datetime

    @property
    def is_late(self) -> bool:
        return isinstance(self.error, AnswerTooLate)

    def error_after(self, calls: int) -> CallFailed | CannotOpen | NoPoints:
        """Return the error, with all calls for the set: those for pages that had come as well."""
        if not isinstance(self.error, CannotOpen):
            self.error.calls = calls + self.unread.calls
        return self.error


def first_call(
    tools: Tools,
    account_id: int,
    sets: Sequence[SetT],
    *,
    rows: Callable[[SetT], int],
    purpose: Purpose,
    points_each: int = READ_POINTS,
    known: Knowledge,
) -> list[SetT]:
    """Choose of which sets the next call reads; ``rows`` tells how many requests of each.

    It is no larger than what was answered of late, and than there are points for: one that asks
    for more would never be made. Raises DatabaseAway.
    """
    share = partial(tools.call_sizes.share, account_id)
    affordable = points_left(tools, account_id, purpose=purpose) // points_each
    return next(
        parts(
            sets,
            rows=rows,
            most_rows=share(most=_PAGES_A_CALL * known.rows_a_page),
            most=max(1, min(share(most=BATCH_MOST), affordable)),
        )
    )


def read_pages(
    tools: Tools, unread: Sequence[Unread], *, known: Knowledge
) -> list[Page | Unreadable]:
    """Read the next page of some sets of one account, in one call.

    One that was too much for Facebook is not among them: it is asked for again, with less. Raises
    DatabaseAway.
    """
    account_id, started_at = unread[0].claim.account_id, tools.now()
    try:
        answered = _call(tools, unread, known=known)
    except (CallFailed, CannotOpen, NoPoints) as error:
        if isinstance(error, CallFailed):
            note_usage(tools, account_id, error.usage)
        calls = 0 if isinstance(error, CannotOpen) else error.calls
        answers: Sequence[Opened[RequestsPage] | CannotOpen | NoPoints] = [error] * len(unread)
    else:
        calls, answers = answered.calls, answered.value
    unread[0].calls += calls
    is_call_smaller = tools.call_sizes.learn(account_id, answers)
    is_own = are_failures_their_own(answers)
    reads = [
        _read(one, answer, read_at=started_at)
        for one, answer in zip(unread, answers, strict=True)
        if not (
            one.ask_again(is_call_smaller=is_call_smaller, known=known)
            if _asks_for_less(answer)
            else is_own and may_be_its_size(answer) and one.ask_for_one(known=known)
        )
    ]
    if not is_call_smaller:
        _learn_page(tools, account_id, reads, known=known)
    return reads


def _learn_page(
    tools: Tools, account_id: int, reads: Sequence[Page | Unreadable], *, known: Knowledge
) -> None:
    """Let the account ask for pages as short as those that came, or shorter than what was late."""
    came = [one.unread.taught_limit for one in reads if isinstance(one, Page)]
    late = [one.error for one in reads if isinstance(one, Unreadable) and one.is_late]
    if came:
        known.longest_page = max(known.longest_page, *came)
        knowledge.shorten_page(tools, account_id, known.longest_page, known=known)
    elif late:
        knowledge.halve_page(tools, account_id, late, known=known)


def are_failures_their_own(answers: Sequence[object]) -> bool:
    """Tell whether what failed in a call did so by itself: alone, or beside what was answered."""
    return len(answers) == 1 or not all(isinstance(one, Exception) for one in answers)


def _asks_for_less(answer: object) -> bool:
    """Tell whether less is asked for at once: where Facebook is silent, that would take long."""
    return is_too_much(answer) and not isinstance(answer, AnswerTooLate)


def _call(
    tools: Tools, unread: Sequence[Unread], *, known: Knowledge
) -> Answered[list[Opened[RequestsPage]]]:
    account_id = unread[0].claim.account_id
    credential = credential_of(tools, account_id)
    reserve(tools, account_id, cost=len(unread) * READ_POINTS, purpose=Purpose.COLLECT)
    asks = [
        PageAsk(one.claim.facebook_id or 0, limit=one.limit_of_page(known), after=one.after)
        for one in unread
    ]
    answered = graph_looks.request_pages(tools.client, credential, asks)
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
    return unread.turn(answer.value, read_at=read_at)
