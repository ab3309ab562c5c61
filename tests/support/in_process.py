"""Graph calls to a sandbox in this process: no sockets, no threads, a clock moved by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from receiver.sandbox.app import answer_call
from receiver.sandbox.calls.messages import Call
from receiver.sandbox.state import Sandbox
from receiver.sandbox.world.notification import Attempt
from receiver.sandbox.world.notification_queue import NotificationJob

HOST = "http://sandbox"
FORM = "application/x-www-form-urlencoded"


class GraphRefused(Exception):
    """A call that was answered with a Graph error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]


class StillSandbox(Sandbox):
    """A sandbox in which time stands still, and whose notifications go nowhere."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, tzinfo=UTC)
        super().__init__(clock=lambda: self.now)

    def deliver(self, job: NotificationJob) -> None:
        for _ in range(job.times):
            with self.scene() as scene:
                scene.world.note_attempt(job.request_set, Attempt(self.now, job.uri, "200", "OK"))


class InProcessGraph:
    """Calls to a still sandbox: parameters are the query of a GET, the form of all others."""

    def __init__(self) -> None:
        self.sandbox = StillSandbox()

    def get(self, path: str, **parameters: Any) -> Any:
        return self._graph("GET", path, query=urlencode(parameters))

    def post(self, path: str, **parameters: Any) -> Any:
        return self._graph("POST", path, body=urlencode(parameters))

    def delete(self, path: str) -> Any:
        return self._graph("DELETE", path)

    def walk(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield an edge's members, page by page, by the links to the next one."""
        page = self.get(path, **parameters)
        yield from page["data"]
        while following := page.get("paging", {}).get("next"):
            parts = urlsplit(following)
            page = self.get(parts.path, **dict(parse_qsl(parts.query)))
            yield from page["data"]

    def control(self, path: str, **body: Any) -> Any:
        return self._call("POST", f"/sandbox/{path}", body=json.dumps(body))[1]

    def ledger(self) -> list[dict[str, Any]]:
        sets: list[dict[str, Any]] = self._call("GET", "/sandbox/ledger")[1]["sets"]
        return sets

    def let_pass(self, seconds: float) -> None:
        self.sandbox.now += timedelta(seconds=seconds)

    def send_notifications(self) -> None:
        """Deliver what is due, as the sandbox's clock thread would at once."""
        with self.sandbox.scene() as scene:
            jobs = scene.world.notifications.take_due(self.sandbox.now)
        for job in jobs:
            self.sandbox.deliver(job)

    def _graph(self, method: str, path: str, *, query: str = "", body: str = "") -> Any:
        token = f"access_token=t&{query}"
        status, answer = self._call(method, path, query=token, body=body)
        if "error" in answer:
            raise GraphRefused(answer["error"])
        assert status == 200
        return answer

    def _call(self, method: str, path: str, *, query: str = "", body: str = "") -> tuple[int, Any]:
        headers = {"content-type": FORM}
        call = Call(method, HOST, quote(path), query, headers, body.encode())
        answer = answer_call(self.sandbox, call)
        return answer.status, json.loads(answer.body)
