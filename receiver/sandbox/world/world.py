"""Everything that exists at this Graph: accounts, their sets, the requests, what is due when.

No clock, no thread, no I/O: every step takes ``now``, and whoever calls holds the lock.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.graph.vocabulary import MODE_OFF
from receiver.sandbox.calls.access import AccessToken
from receiver.sandbox.calls.ids import account_number
from receiver.sandbox.world.behaviour import Behaviour, BehaviourChange, BehaviourSettings
from receiver.sandbox.world.notification import Attempt
from receiver.sandbox.world.notification_queue import NotificationQueue
from receiver.sandbox.world.objects import Objects
from receiver.sandbox.world.request_set import Edge, Member, Request, RequestSet
from receiver.sandbox.world.work import Work


@dataclass
class Account:
    """An ad account: its sets in the order of their creation, and how it behaves."""

    id: str
    sets: list[RequestSet] = field(default_factory=list)
    settings: BehaviourSettings = field(default_factory=BehaviourSettings)
    _shuffled: tuple[int, list[RequestSet]] | None = None

    def sets_in_order(self) -> list[RequestSet]:
        """Return the sets from the oldest on, or in the random order of the account's edge."""
        edge = self.settings.edge
        if edge.order != "random":
            return self.sets
        known = self._shuffled
        if known is None or known[0] != edge.seed or len(known[1]) != len(self.sets):
            shuffled = sorted(self.sets, key=lambda each: edge.rank(each.id))
            known = self._shuffled = (edge.seed, shuffled)
        return known[1]


Perform = Callable[["World", RequestSet, Work, datetime], dict[str, Any]]


@dataclass(frozen=True)
class SetPlan:
    """A set that is to be made: where, with what work, and who is told."""

    name: str
    works: list[Work]
    edge: Edge = Edge.ADS
    notification_uri: str | None = None
    notification_mode: str = MODE_OFF


class World:
    """All state of the sandbox. Ids are 64-bit numbers in strings, from ``first_id`` up.

    ``perform`` does the work of a set's request in this world. Ids from ``own_from`` up name only
    what was made here; every other number exists from its first use, unless the world is strict.
    """

    def __init__(
        self,
        *,
        first_id: int,
        perform: Perform,
        own_from: int | None = None,
        is_strict: bool = False,
    ) -> None:
        self.is_strict = is_strict
        self._ids = itertools.count(first_id)
        self._own_from = first_id if own_from is None else own_from
        self._perform = perform
        self.objects = Objects()
        self._order = itertools.count()
        self.tokens: dict[str, AccessToken] = {}
        self._accounts: dict[str, Account] = {}
        self._defaults = Behaviour()
        self._sets: dict[str, RequestSet] = {}
        self._old_sets: dict[str, RequestSet] = {}
        self._requests: dict[str, Member] = {}
        self._by_scope: dict[str, list[Member]] = {}
        self._completions: list[tuple[datetime, int, RequestSet]] = []
        self._running: dict[str, RequestSet] = {}
        self._advanced_to = datetime.min.replace(tzinfo=UTC)
        self.notifications = NotificationQueue()

    @property
    def sets(self) -> list[RequestSet]:
        """Every set that somebody created by a call, oldest first."""
        return list(self._sets.values())

    @property
    def accounts(self) -> list[Account]:
        """Every account that there is, in the order of their first use."""
        return list(self._accounts.values())

    def account(self, account_id: str) -> Account:
        """Return the account; one that was never seen before comes into being."""
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = Account(account_id)
        return account

    def find_set(self, object_id: str) -> RequestSet | None:
        return self._sets.get(object_id) or self._old_sets.get(object_id)

    def find_request(self, object_id: str) -> Member | None:
        return self._requests.get(object_id)

    def requests_under(self, scope_object_id: str) -> list[Member]:
        """Return every request that makes an ad in this ad set, oldest first."""
        return self._by_scope.get(scope_object_id, [])

    def account_of(self, object_id: str) -> str | None:
        """Return the account's id for ``act_1`` or an object of it; None when nobody knows."""
        number = account_number(object_id)
        if number is not None:
            return number
        known = self.find_request(object_id) or next(iter(self.requests_under(object_id)), None)
        owner = (
            known.request_set if known else self.find_set(object_id) or self.objects.find(object_id)
        )
        return owner.account_id if owner else None

    def may_exist(self, object_id: str) -> bool:
        """Tell whether an id that nothing here has may stand for something made elsewhere."""
        return not self.is_strict and int(object_id) < self._own_from

    def knows_account(self, account_id: str) -> bool:
        """Tell whether an account may be used: any, or in strict mode one that was made."""
        return not self.is_strict or account_id in self._accounts

    def change_defaults(self, change: BehaviourChange) -> None:
        self._defaults = self._defaults.changed_by(change)

    def create_set(
        self, account_id: str, plan: SetPlan, *, version: str, now: datetime
    ) -> RequestSet:
        """Make a set and its requests, whose ids follow the order of their work."""
        account = self.account(account_id)
        request_set = RequestSet(
            id=self.new_id(),
            account_id=account_id,
            name=plan.name,
            requests=[Request(self.new_id(), work, now, now) for work in plan.works],
            behaviour=account.settings.take_next(self._defaults),
            created_time=now,
            updated_time=now,
            edge=plan.edge,
            notification_uri=plan.notification_uri,
            notification_mode=plan.notification_mode,
            platform_version=version,
        )
        self._add(account, request_set)
        self._set_going(request_set, now=now)
        return request_set

    def add_old_sets(self, account_id: str, request_sets: list[RequestSet]) -> None:
        """Put completed sets of the past into an account, each at the place of its age."""
        account = self.account(account_id)
        account.sets = sorted((*request_sets, *account.sets), key=lambda each: each.created_time)
        for request_set in request_sets:
            self._old_sets[request_set.id] = request_set
            for request in request_set.requests:
                self._requests[request.id] = Member(request_set, request)

    def _add(self, account: Account, request_set: RequestSet) -> None:
        account.sets.append(request_set)
        self._sets[request_set.id] = request_set
        for request in request_set.requests:
            self._requests[request.id] = Member(request_set, request)
            self._note_scope(request_set, request)

    def _note_scope(self, request_set: RequestSet, request: Request) -> None:
        if request.scope_object_id is not None:
            members = self._by_scope.setdefault(request.scope_object_id, [])
            members.append(Member(request_set, request))

    def _set_going(self, request_set: RequestSet, *, now: datetime) -> None:
        if request_set.behaviour.notification.kind == "before_answer":
            request_set.advance_by_hand(len(request_set.requests))
        self.refresh(request_set, now=now)
        progress = request_set.behaviour.progress
        if progress.kind == "after_seconds" and not request_set.is_completed:
            due = now + timedelta(seconds=progress.seconds)
            heapq.heappush(self._completions, (due, next(self._order), request_set))
            self._running[request_set.id] = request_set

    def new_id(self) -> str:
        return str(next(self._ids))

    def advance(self, now: datetime) -> None:
        """Let time pass: what is due completes at its time, what is under way comes to where it is.

        After it every set is where it has to be, whether somebody looks at it or not.
        """
        if now <= self._advanced_to:
            return
        self._advanced_to = now
        while self._completions and self._completions[0][0] <= now:
            due, _, request_set = heapq.heappop(self._completions)
            del self._running[request_set.id]
            self.refresh(request_set, now=due)
        for request_set in self._running.values():
            self.refresh(request_set, now=now)

    def refresh(self, request_set: RequestSet, *, now: datetime) -> None:
        """Bring one set to where it is by now."""
        if request_set.is_completed:
            return

        def perform(request: Request, work: Work) -> dict[str, Any]:
            if request.work.scope_object_id is None:  # known now that its references are filled in
                self._note_scope(request_set, request)
            return self._perform(self, request_set, work, now)

        if request_set.advance(now=now, perform=perform):
            self.notifications.plan(request_set, now=now)

    def note_read(self, request_set: RequestSet, *, now: datetime) -> None:
        """Count one read of the set, which may be what it progresses by."""
        request_set.reads += 1
        self.refresh(request_set, now=now)

    def cancel(self, request_set: RequestSet, request: Request, *, now: datetime) -> None:
        """Cancel a request. Raises ValueError for one whose processing has begun."""
        if request_set.cancel(request, now=now):
            self.notifications.plan(request_set, now=now)

    def note_attempt(self, request_set: RequestSet, attempt: Attempt) -> None:
        request_set.notification.attempts.append(attempt)
        request_set.notification.finish(status=attempt.status, response=attempt.response)
        request_set.updated_time = attempt.time

    def next_due(self) -> datetime | None:
        """Return when something next happens by itself; None for never."""
        completion = self._completions[0][0] if self._completions else None
        dues = filter(None, (completion, self.notifications.next_due()))
        return min(dues, default=None)
