"""A model of the receiver for a day: its own pure decisions, with nothing around them.

What decides is the lifecycle's own code: when a set is looked at, in which way, what is read with
it, what the account's past tells, whether its points allow it, and the verdict on a notification.
What is modelled is around it: a heap of what is due instead of SQL, as many workers as are needed,
and calls that take a fixed time.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from benchmarks.day_facebook import Order, reading
from receiver.graph.looks import BATCH_MOST
from receiver.graph.score import READ_POINTS, WRITE_POINTS, Score
from receiver.graph.vocabulary import AD_SETS_EDGE, MAX_PAGE_LIMIT
from receiver.lifecycle import plan
from receiver.lifecycle.experience import KEPT, Experience, Past, learn
from receiver.lifecycle.look_plan import Due, plan_looks, reads_requests, remembered
from receiver.lifecycle.plan import Moved, Pace
from receiver.lifecycle.shares import Purpose, Shares
from receiver.lifecycle.verdict import DELIVERED, PENDING, verdict_of

CALL_SECONDS = 0.3
_CALL = timedelta(seconds=CALL_SECONDS)
_PICKED_UP_AFTER = timedelta(seconds=0.1)
"""Half of the interval in which a worker looks for what is due."""


@dataclass(slots=True, eq=False)
class _Set:
    """``place``: how many sets of its account were created before it."""

    number: int
    place: int
    order: Order
    opened_at: datetime
    missing_at: datetime
    look_at: datetime | None = None
    quiet_looks: int = 0
    done: int = 0
    is_hinted: bool = False
    is_notified: bool = False
    completed_at: datetime | None = None
    verdict: str = PENDING
    past: Past | None = None
    """What is learned of it, once it is complete."""

    def judge(self, verdict: str) -> None:
        """Take what is said of its notification; it is complete."""
        self.verdict = verdict
        took = (self.completed_at or self.opened_at) - self.opened_at
        self.past = Past(self.order.size, took.total_seconds(), verdict)

    def age_seconds(self, now: datetime) -> float:
        return (now - self.order.at).total_seconds()


@dataclass(slots=True)
class _Account:
    at_work: dict[int, _Set] = field(default_factory=dict)
    newest: deque[_Set] = field(default_factory=lambda: deque(maxlen=KEPT))
    score: Score = field(default_factory=Score)
    sweep_pages: float | None = None
    created: int = 0
    learned: Experience | None = None
    """None once something became known of its sets since it was learned."""

    def experience(self) -> Experience:
        if self.learned is None:
            self.learned = learn([one.past for one in self.newest if one.past is not None])
        return self.learned

    def is_past_usual(self, one: _Set, *, now: datetime) -> bool:
        age_seconds = (now - one.opened_at).total_seconds()
        return self.experience().is_past_usual(one.order.size, age_seconds=age_seconds)


class Receiver:
    """Creates what is ordered, and collects it. ``collected`` is told of each set, and when.

    ``missing`` are the sets that were complete by their deadline and were not collected by then.
    """

    def __init__(
        self,
        *,
        pace: Pace,
        shares: Shares,
        seed: int,
        collected: Callable[[Order, datetime], None],
    ) -> None:
        self.points = 0
        self.missing = 0
        self.looks = 0
        self.open_most = 0
        self._open = 0
        self._pace = pace
        self._shares = shares
        self._collected = collected
        self._chance = random.Random(seed).random  # noqa: S311  # the same day every time
        self._accounts: dict[int, _Account] = defaultdict(_Account)
        self._events: list[tuple[datetime, int, Callable[[datetime, Any], None], Any]] = []
        self._numbers = count(1)

    def run(self, orders: Iterable[Order]) -> None:
        """Let the day pass, and as much of the next as is needed for the last result."""
        for order in orders:
            self._let_pass(until=order.at)
            self._create(order.at, order)
        self._let_pass(until=None)

    def _let_pass(self, *, until: datetime | None) -> None:
        events = self._events
        while events and (until is None or events[0][0] <= until):
            at, _, happen, what = heappop(events)
            happen(at, what)

    def _at(self, moment: datetime, happen: Callable[[datetime, Any], None], what: Any) -> None:
        heappush(self._events, (moment, next(self._numbers), happen, what))

    def _spend(
        self, account: _Account, points: int, purpose: Purpose, *, now: datetime
    ) -> datetime | None:
        """Spend points; None where that was possible, or when it will be."""
        most_percent = self._shares.of(purpose)
        resume_at = account.score.room_at(points, most_percent=most_percent, now=now)
        if resume_at is None:
            self._spend_anyway(account, points, now=now)
        return resume_at

    def _spend_anyway(self, account: _Account, points: int, *, now: datetime) -> None:
        account.score = account.score.add(points, now=now)
        self.points += points

    def _create(self, now: datetime, order: Order) -> None:
        account = self._accounts[order.account]
        resume_at = self._spend(account, WRITE_POINTS, Purpose.CREATE, now=now)
        if resume_at is not None:
            # The caller was told to wait.
            self._at(resume_at, self._create, replace(order, at=resume_at))
            return
        experience, opened_at = account.experience(), now + _CALL
        usual_seconds = experience.usual_seconds(order.size)
        one = _Set(
            next(self._numbers),
            account.created,
            order,
            opened_at,
            plan.deadline(self._pace, usual_seconds=usual_seconds, now=now).missing_at,
        )
        account.created += 1
        account.at_work[one.number] = one
        self._open += 1
        self.open_most = max(self.open_most, self._open)
        first_look_at = plan.first_look_at(
            self._pace,
            usual_seconds=usual_seconds,
            early_seconds=experience.early_seconds(order.size),
            loss_rate=experience.loss_rate,
            now=opened_at,
        )
        self._make_due(one, first_look_at)
        if not order.is_lost:
            seconds = order.seconds + order.notified_after_seconds
            self._at(order.at + timedelta(seconds=seconds), self._notify, one)

    def _make_due(self, one: _Set, moment: datetime) -> None:
        one.look_at = moment
        self._at(moment, self._look, one)

    def _notify(self, now: datetime, one: _Set) -> None:
        one.is_notified = one.is_hinted = True
        if one.completed_at is None:
            self._make_due(one, now)
        elif one.verdict == PENDING:
            # It has nothing more to tell than that it did come.
            one.judge(DELIVERED)
            one.look_at = None
            self._close(one)

    def _look(self, at: datetime, one: _Set) -> None:
        """Look at a set that is due, and at those of its account that are due as well."""
        if one.look_at != at:
            return  # it was made due at another time since
        account, now = self._accounts[one.order.account], at + _PICKED_UP_AFTER
        soon = now + timedelta(seconds=self._pace.look_interval_min_seconds / 2)
        due = {
            each.number: each
            for each in account.at_work.values()
            if each.look_at is not None and each.look_at <= soon
        }
        for each in due.values():
            each.quiet_looks += 1
        planned = plan_looks([_due(each) for each in due.values()], sweep_pages=account.sweep_pages)
        direct = [due[number] for number in planned.direct]
        for chosen in (
            [each for each in direct if _is_expected(each)],
            [each for each in direct if not _is_expected(each)],
        ):
            for start in range(0, len(chosen), BATCH_MOST):
                self._read(account, chosen[start : start + BATCH_MOST], now=now)
        if planned.swept:
            swept = [due[number] for number in planned.swept]
            self._sweep(account, swept, page_budget=planned.page_budget, now=now)

    def _read(self, account: _Account, sets: Sequence[_Set], *, now: datetime) -> None:
        purpose = Purpose.COLLECT if _is_expected(sets[0]) else Purpose.POLL
        resume_at = self._spend(account, len(sets) * READ_POINTS, purpose, now=now)
        if resume_at is not None:
            self._put_off(sets, resume_at)
            return
        for one in sets:
            is_expected = _is_expected(one)
            with_requests = reads_requests(
                is_expected=is_expected,
                spec_count=one.order.size,
                # Not asked in vain: to learn takes most of the model's time.
                is_past_usual=not is_expected and account.is_past_usual(one, now=now),
            )
            self._take(account, one, with_requests=with_requests, now=now)

    def _sweep(
        self, account: _Account, sets: Sequence[_Set], *, page_budget: int, now: datetime
    ) -> None:
        """Read the account's list, newest first, as far as the oldest of some sets.

        A set that is not complete does not stand on it, and nothing else ends the reading sooner.
        """
        newer = account.created - min(one.place for one in sets)
        pages = min(page_budget, 1 + newer // MAX_PAGE_LIMIT)
        resume_at = self._spend(account, pages * READ_POINTS, Purpose.POLL, now=now)
        if resume_at is not None:
            self._put_off(sets, resume_at)
            return
        account.sweep_pages = remembered(account.sweep_pages, pages)
        for one in sets:
            self._take(account, one, with_requests=False, is_swept=True, now=now)

    def _put_off(self, sets: Sequence[_Set], resume_at: datetime) -> None:
        for one in sets:
            self._make_due(one, resume_at)

    def _take(
        self,
        account: _Account,
        one: _Set,
        *,
        with_requests: bool,
        is_swept: bool = False,
        now: datetime,
    ) -> None:
        """Take what was shown of a set."""
        self.looks += 1
        one.is_hinted = False
        age_seconds = one.age_seconds(now)
        if one.completed_at is None and age_seconds < one.order.seconds:
            self._let_go(account, one, is_swept=is_swept, age_seconds=age_seconds, now=now)
            return
        is_new, ended_at = one.completed_at is None, now + _CALL
        one.completed_at = one.completed_at or ended_at
        verdict = verdict_of(
            reading(one.order, one.number, age_seconds=age_seconds),
            is_notified=one.is_notified,
            completed_at=one.completed_at,
            pace=self._pace,
            now=ended_at,
        )
        one.judge(verdict)
        one.look_at = None
        if is_new:
            self._collect(account, one, with_requests=with_requests, ended_at=ended_at)
        account.learned = None
        if one.verdict == PENDING:
            self._make_due(one, plan.verdict_look_at(self._pace, completed_at=one.completed_at))
        else:
            self._close(one)

    def _collect(
        self, account: _Account, one: _Set, *, with_requests: bool, ended_at: datetime
    ) -> None:
        pages = one.order.pages - with_requests
        self._spend_anyway(account, pages * READ_POINTS, now=ended_at)
        collected_at = ended_at + pages * _CALL
        self.missing += one.order.completes_at <= one.missing_at < collected_at
        account.newest.append(one)
        self._open -= 1
        self._collected(one.order, collected_at)

    def _close(self, one: _Set) -> None:
        account = self._accounts[one.order.account]
        account.learned = None
        del account.at_work[one.number]

    def _let_go(
        self,
        account: _Account,
        one: _Set,
        *,
        is_swept: bool,
        age_seconds: float,
        now: datetime,
    ) -> None:
        moved = None
        done = one.order.done(age_seconds)
        if not is_swept and done != one.done:
            moved = Moved(done, total=one.order.size, since=one.opened_at)
            one.done = done
        look_at = plan.look_after(
            self._pace,
            moved=moved,
            quiet_looks=one.quiet_looks,
            loss_rate=account.experience().loss_rate,
            now=now + _CALL,
            chance=self._chance(),
        )
        if moved is not None:
            one.quiet_looks = 0
        self._make_due(one, look_at)


def _is_expected(one: _Set) -> bool:
    return one.is_hinted or one.completed_at is not None


def _due(one: _Set) -> Due:
    return Due(
        one.number,
        edge=AD_SETS_EDGE,
        quiet_looks=one.quiet_looks,
        is_expected=_is_expected(one),
    )
