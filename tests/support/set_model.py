"""What a request set may do and may not do, written down from Facebook's page and the facts.

The model does not work requests off: it knows what must be done by now, what must not be, and how
each request may end. What it last saw of a set is what the next look is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

PENDING = "PENDING_DEPENDENCY"
OPEN = (PENDING, "INITIAL", "IN_PROGRESS")
COUNTERS = {
    "initial_count": {PENDING, "INITIAL"},
    "in_progress_count": {"IN_PROGRESS"},
    "success_count": {"SUCCESS"},
    "error_count": {"ERROR", "ERROR_DEPENDENCY"},
    "canceled_count": {"CANCELED", "CANCELED_DEPENDENCY"},
}
NOTIFICATION_STATUSES = ("NOT_SENT", "SENDING", "SENT")


@dataclass(frozen=True)
class Task:
    """A request's work: whether it can be done, and which of its set's tasks come before it."""

    name: str
    can_be_done: bool
    parents: tuple[int, ...] = ()


@dataclass
class SetModel:
    """One set. ``progress`` is what the sandbox was told when the set was made."""

    id: str
    account: str
    is_batch: bool
    tasks: list[Task]
    progress: Json
    created_at: datetime
    name: str
    uri: str
    mode: str
    reads: int = 0
    advanced: int = 0
    canceled: set[int] = field(default_factory=set)
    is_notification_due: bool = False
    node: Json = field(default_factory=dict)
    requests: list[Json] = field(default_factory=list)

    @property
    def is_completed(self) -> bool:
        return bool(self.node["is_completed"])

    def note_read(self) -> None:
        self.reads += 1

    def note_sending(self) -> bool:
        """Return whether the set is told about when what is due goes out, now and never again."""
        is_told = self.is_notification_due and self.mode == "ON_COMPLETE"
        self.is_notification_due = False
        return is_told

    def see(self, node: Json, requests: list[Json], *, now: datetime) -> None:
        """Compare what Graph shows now with what it showed before and with what must be."""
        self._check_node(node, requests)
        assert len(requests) == len(self.tasks)
        for index, request in enumerate(requests):
            self._check_end(index, requests)
            if self.requests:
                _check_step(self.requests[index], request)
        self._check_progress(requests, now=now)
        if node["is_completed"] and not self.node.get("is_completed"):
            self.is_notification_due = self.mode == "ON_COMPLETE"
        self.node, self.requests = node, requests

    def _check_node(self, node: Json, requests: list[Json]) -> None:
        statuses = [request["status"] for request in requests]
        for counter, meant in COUNTERS.items():
            assert node[counter] == sum(status in meant for status in statuses), counter
        assert node["total_count"] == len(self.tasks) == sum(node[name] for name in COUNTERS)
        assert node["is_completed"] == (not any(status in OPEN for status in statuses))
        told = (node["name"], node.get("notification_uri", ""), node["notification_mode"])
        assert told == (self.name, self.uri, self.mode)
        if self.node:
            before, after = self.node, node
            assert before["is_completed"] <= after["is_completed"]
            steps = [NOTIFICATION_STATUSES.index(n["notification_status"]) for n in (before, after)]
            assert steps == sorted(steps)

    def _check_end(self, index: int, requests: list[Json]) -> None:
        """Check that a request may be where it is, by its work and by its parents' statuses."""
        task, status = self.tasks[index], requests[index]["status"]
        parents = [requests[parent]["status"] for parent in task.parents]
        are_done = all(parent == "SUCCESS" for parent in parents)
        allowed = {
            PENDING: not are_done and all(parent in (*OPEN, "SUCCESS") for parent in parents),
            "INITIAL": are_done,
            "IN_PROGRESS": are_done,
            "SUCCESS": are_done and task.can_be_done,
            "ERROR": are_done and not task.can_be_done,
            "ERROR_DEPENDENCY": any(parent.startswith("ERROR") for parent in parents),
            "CANCELED": index in self.canceled,
            "CANCELED_DEPENDENCY": any(parent.startswith("CANCELED") for parent in parents),
        }
        assert allowed[status], (status, parents)
        assert (index in self.canceled) == (status == "CANCELED")
        _check_result(requests[index])

    def _check_progress(self, requests: list[Json], *, now: datetime) -> None:
        ended = sum(request["status"] not in OPEN for request in requests)
        assert ended >= min(self.advanced, len(requests))
        if self._must_be_complete(now):
            assert ended == len(requests)
        if self._must_not_have_begun(now):
            assert all(request["status"] in (PENDING, "INITIAL") for request in requests)

    def _must_be_complete(self, now: datetime) -> bool:
        return {
            "at_once": True,
            "after_seconds": now >= self.created_at + timedelta(seconds=self.progress["amount"]),
            "after_reads": self.reads >= int(self.progress["amount"]),
            "by_hand": False,
        }[self.progress["kind"]]

    def _must_not_have_begun(self, now: datetime) -> bool:
        if self.advanced or self.canceled:
            return False
        return {
            "at_once": False,
            "after_seconds": now == self.created_at and int(self.progress["amount"]) > 0,
            "after_reads": self.reads == 0,
            "by_hand": True,
        }[self.progress["kind"]]


def _check_step(before: Json, after: Json) -> None:
    """A request only moves forward; once it has ended it never changes at all."""
    assert before["id"] == after["id"]
    if before["status"] in OPEN:
        assert after["status"] not in OPEN[: OPEN.index(before["status"])]
    else:
        assert before == after


def _check_result(request: Json) -> None:
    result = request.get("result")
    if request["status"] == "SUCCESS":
        assert result is not None
        assert result["id"].isdigit()
    elif request["status"] == "ERROR":
        assert result is not None
        assert set(result) == {"error_code", "error_message"}
    elif request["status"] in OPEN or request["status"].startswith("CANCELED"):
        assert result is None
