"""The notifications that are to be sent: which, when, and how often."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.graph.vocabulary import MODE_ON_COMPLETE
from receiver.sandbox.world.notification import SENDING
from receiver.sandbox.world.request_set import RequestSet


@dataclass(frozen=True)
class NotificationJob:
    """A notification to be sent now, ``times`` times."""

    request_set: RequestSet
    uri: str
    body: str
    body_id: str
    times: int


class NotificationQueue:
    """What becomes of notifications is decided when their sets are complete, by each set's plan."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, RequestSet]] = []
        self._immediate: list[NotificationJob] = []

    def plan(self, request_set: RequestSet, *, now: datetime) -> None:
        """Decide, at the moment of completion and once for all, what the notification does."""
        if request_set.notification_mode != MODE_ON_COMPLETE:
            return
        plan = request_set.behaviour.notification
        if plan.kind == "lost":
            request_set.notification.finish(status="200", response="OK")
        elif plan.kind == "error":
            request_set.notification.finish(status="503", response="Service Unavailable")
        elif plan.kind == "before_answer":
            self._immediate.extend(self._start_job(request_set))
        elif plan.kind != "never":
            wait = timedelta(seconds=plan.seconds if plan.kind == "late" else 0)
            heapq.heappush(self._due, (now + wait, next(self._order), request_set))

    def _start_job(self, request_set: RequestSet) -> list[NotificationJob]:
        uri = request_set.notification_uri
        if request_set.notification_mode != MODE_ON_COMPLETE or uri is None:
            return []
        plan = request_set.behaviour.notification
        request_set.notification.status = SENDING
        body_id = plan.body_id or request_set.id
        times = 2 if plan.kind == "twice" else 1
        return [NotificationJob(request_set, uri, plan.body, body_id, times)]

    def take_immediate(self) -> list[NotificationJob]:
        """Hand over what has to be sent before the answer to the create leaves."""
        jobs, self._immediate = self._immediate, []
        return jobs

    def take_due(self, now: datetime) -> list[NotificationJob]:
        """Hand over the notifications whose time has come; their status is SENDING from here."""
        jobs: list[NotificationJob] = []
        while self._due and self._due[0][0] <= now:
            _, _, request_set = heapq.heappop(self._due)
            jobs.extend(self._start_job(request_set))
        return jobs

    def next_due(self) -> datetime | None:
        """Return when the next one is to be sent; None for never."""
        return self._due[0][0] if self._due else None
