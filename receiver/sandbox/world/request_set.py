"""A request set and its requests, as a state machine: no clock, no I/O.

Requests only move forward, PENDING_DEPENDENCY → INITIAL → IN_PROGRESS → a final status; a final one
never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from receiver.graph.references import UnresolvedReference
from receiver.graph.vocabulary import API_VERSION, MODE_OFF, count_field, is_final
from receiver.sandbox.calls.errors import GraphFault, aborted_operation
from receiver.sandbox.world.behaviour import Behaviour
from receiver.sandbox.world.notification import Notification
from receiver.sandbox.world.work import Work

PENDING_DEPENDENCY = "PENDING_DEPENDENCY"
INITIAL = "INITIAL"
IN_PROGRESS = "IN_PROGRESS"
SUCCESS = "SUCCESS"
ERROR = "ERROR"
ERROR_DEPENDENCY = "ERROR_DEPENDENCY"
CANCELED = "CANCELED"
CANCELED_DEPENDENCY = "CANCELED_DEPENDENCY"

_CANCELABLE = (INITIAL, PENDING_DEPENDENCY)

Perform = Callable[["Request", Work], dict[str, Any]]
"""Do a request's work now and return what a sync call would answer; raises GraphFault."""


class Edge(StrEnum):
    """The account's edge that a set was created on."""

    ADS = "asyncadrequestsets"
    CREATIVES = "asyncadcreatives"
    BATCH = "async_batch_requests"


@dataclass
class Request:
    """One piece of work. ``result`` stands once the request has been processed."""

    id: str
    work: Work
    created_time: datetime
    updated_time: datetime
    status: str = INITIAL
    result: dict[str, Any] | None = None
    scope_object_id: str | None = None

    def __post_init__(self) -> None:
        self.scope_object_id = self.work.scope_object_id

    @property
    def is_cancelable(self) -> bool:
        """Only what is not processed yet can be cancelled (Facebook's page)."""
        return self.status in _CANCELABLE


@dataclass
class RequestSet:
    """A request set. Whoever changes a request says when, and finds the counters right after."""

    id: str
    account_id: str
    name: str
    requests: list[Request]
    behaviour: Behaviour
    created_time: datetime
    updated_time: datetime
    edge: Edge = Edge.ADS
    notification_uri: str | None = None
    notification_mode: str = MODE_OFF
    platform_version: str = API_VERSION
    completed_time: datetime | None = None
    notification: Notification = field(default_factory=Notification)
    counts: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    _dependents: list[Request] = field(default_factory=list)
    _results: dict[str, dict[str, Any]] = field(default_factory=dict)
    _advanced_by_hand: int = 0
    _started: int = 0
    _finished: int = 0

    def __post_init__(self) -> None:
        self.counts[count_field(INITIAL)] = len(self.requests)
        self._dependents = [request for request in self.requests if request.work.needs]
        for request in self._dependents:
            request.status = PENDING_DEPENDENCY

    @property
    def is_completed(self) -> bool:
        return self.completed_time is not None

    def advance(self, *, now: datetime, perform: Perform) -> bool:
        """Bring the requests to where they are by now; tell whether that completed the set."""
        if self.is_completed:
            return False
        goal = self._goal(now)
        for request in self._next_to_finish(goal):
            self._finish(request, now=now, perform=perform)
        for request in self._next_to_start(goal):
            if request.status == INITIAL:
                self._move(request, status=IN_PROGRESS, now=now)
        return self._complete_if_done(now)

    def advance_by_hand(self, count: int) -> None:
        """Let ``count`` more requests be processed, whatever the set's progress."""
        self._advanced_by_hand = min(self._advanced_by_hand + count, len(self.requests))

    def cancel(self, request: Request, *, now: datetime) -> bool:
        """Cancel a request that is not processed yet; tell whether that completed the set.

        Raises ValueError for one whose processing has begun.
        """
        if not request.is_cancelable:
            raise ValueError(request.status)
        self._move(request, status=CANCELED, now=now)
        self._end_dependents(request, status=CANCELED_DEPENDENCY, now=now)
        return self._complete_if_done(now)

    def _goal(self, now: datetime) -> float:
        """Return how many requests are processed by now; between two, one is under way."""
        total = len(self.requests)
        progress = self.behaviour.progress
        fraction = 0.0
        if progress.kind == "at_once":
            fraction = 1.0
        elif progress.kind == "after_seconds":
            span = timedelta(seconds=progress.seconds)
            fraction = (now - self.created_time) / span if span else 1.0
        elif progress.kind == "after_reads":
            fraction = self.reads / progress.reads
        return max(float(self._advanced_by_hand), min(fraction, 1.0) * total)

    def _next_to_finish(self, goal: float) -> Iterator[Request]:
        while self._finished < int(goal):
            self._finished += 1
            yield self.requests[self._finished - 1]

    def _next_to_start(self, goal: float) -> Iterator[Request]:
        at_a_time = max(1, len(self.requests) // 10)
        last = min(int(goal) + at_a_time, len(self.requests)) if goal > 0 else 0
        self._started = max(self._started, self._finished)
        while self._started < last:
            self._started += 1
            yield self.requests[self._started - 1]

    def _finish(self, request: Request, *, now: datetime, perform: Perform) -> None:
        if is_final(request.status):
            return
        try:
            work = request.work.resolved(self._results)
            request.scope_object_id = work.scope_object_id
            request.result = perform(request, work)
        except UnresolvedReference as error:
            self._fail(request, 100, str(error), status=ERROR_DEPENDENCY, now=now)
        except GraphFault as fault:
            self._fail(request, fault.code, fault.message, status=ERROR, now=now)
        else:
            self._move(request, status=SUCCESS, now=now)
            if request.work.name is not None:
                self._results[request.work.name] = request.result
            self._free_dependents(now=now)

    def _fail(
        self, request: Request, code: int | None, message: str, *, status: str, now: datetime
    ) -> None:
        request.result = _error_result(code, message)
        self._move(request, status=status, now=now)
        self._end_dependents(request, status=ERROR_DEPENDENCY, now=now)

    def _free_dependents(self, *, now: datetime) -> None:
        """Let go what waited for its last parent."""
        for request in self._dependents:
            if request.status == PENDING_DEPENDENCY and self._results.keys() >= {
                *request.work.needs
            }:
                self._move(request, status=INITIAL, now=now)

    def _end_dependents(self, parent: Request, *, status: str, now: datetime) -> None:
        """End what can never be done now, and what depends on that in its turn."""
        ended = {parent.work.name}
        for request in self._dependents:
            if request.status == PENDING_DEPENDENCY and ended.intersection(request.work.needs):
                if status == ERROR_DEPENDENCY:
                    fault = aborted_operation()
                    request.result = _error_result(fault.code, fault.message)
                self._move(request, status=status, now=now)
                ended.add(request.work.name)

    def _move(self, request: Request, *, status: str, now: datetime) -> None:
        if is_final(request.status):
            return
        self.counts[count_field(request.status)] -= 1
        self.counts[count_field(status)] += 1
        request.status = status
        request.updated_time = self.updated_time = now

    def _complete_if_done(self, now: datetime) -> bool:
        open_count = self.counts[count_field(INITIAL)] + self.counts[count_field(IN_PROGRESS)]
        if self.is_completed or open_count:
            return False
        self.completed_time = now
        return True


def _error_result(code: int | None, message: str) -> dict[str, Any]:
    """The result of a request that failed (Facebook's page, the table of requests)."""
    return {"error_code": code or 1, "error_message": message}


class Member(NamedTuple):
    """A request together with its set."""

    request_set: RequestSet
    request: Request
