"""The notifications: sent by threads of their own, when the world says that one is due."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from receiver.sandbox.world.notification_queue import NotificationJob

TIMEOUT_SECONDS = 10.0

_SENDER_COUNT = 16
_KEPT_RESPONSE_BYTES = 1000
_GARBAGE = b'\x00\xff\xfe{"id": not json'


@dataclass(frozen=True)
class NotificationAnswer:
    """What came back: the HTTP status and the body's beginning, or an error word and nothing."""

    status: str
    response: str = ""


def send_notification(job: NotificationJob) -> NotificationAnswer:
    """Post one notification, once. Redirects are not followed; proxies are not used."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return _post(session, job)
        except requests.Timeout:
            return NotificationAnswer("timeout")
        except requests.exceptions.SSLError:
            return NotificationAnswer("ssl_error")
        except requests.ConnectionError:
            return NotificationAnswer("connection_error")
        except Exception:  # noqa: BLE001  # whatever a receiver does ends in a word, not a thread
            return NotificationAnswer("error")


def _post(session: requests.Session, job: NotificationJob) -> NotificationAnswer:
    with session.post(
        _address(job),
        headers={"User-Agent": "facebookexternalua", **_content_type(job)},
        data=_body(job),
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        stream=True,
    ) as response:
        beginning = next(response.iter_content(_KEPT_RESPONSE_BYTES), b"")
        return NotificationAnswer(str(response.status_code), beginning.decode("utf-8", "replace"))


def _address(job: NotificationJob) -> str:
    if job.body != "query":
        return job.uri
    return f"{job.uri}{'&' if urlsplit(job.uri).query else '?'}id={job.body_id}"


def _content_type(job: NotificationJob) -> dict[str, str]:
    types = {
        "form": "application/x-www-form-urlencoded",
        "json": "application/json",
        "garbage": "application/octet-stream",
    }
    return {"Content-Type": types[job.body]} if job.body in types else {}


def _body(job: NotificationJob) -> Any:
    if job.body == "form":
        return {"id": job.body_id}
    if job.body == "json":
        return json.dumps({"id": job.body_id}).encode()
    return _GARBAGE if job.body == "garbage" else b""


class Senders:
    """Threads that deliver jobs; a receiver that is slow holds up one of them only."""

    def __init__(self, deliver: Callable[[NotificationJob], None]) -> None:
        self._deliver = deliver
        self._jobs: queue.SimpleQueue[NotificationJob | None] = queue.SimpleQueue()

    def start(self) -> None:
        for number in range(_SENDER_COUNT):
            name = f"sandbox-sender-{number}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def add(self, job: NotificationJob) -> None:
        self._jobs.put(job)

    def stop(self) -> None:
        """Let every thread end once it is done with its job."""
        for _ in range(_SENDER_COUNT):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._deliver(job)
