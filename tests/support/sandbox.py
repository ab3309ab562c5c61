"""A running sandbox for tests, and the control of one that runs anywhere."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox

_TIMEOUT_SECONDS = 60


class SandboxControl:
    """The control API of the sandbox at ``url``, in this process or in another one."""

    def __init__(self, url: str) -> None:
        self.url = url

    def configure(self, account: str, **behaviour: Any) -> None:
        """Change an account: ``progress``, ``notification``, ``next_sets``, ``edge``, ``limits``.

        Without any of them the account comes into being, if it did not exist.
        """
        self._post(f"accounts/{account}", behaviour)

    def configure_defaults(self, **behaviour: Any) -> None:
        self._post("defaults", behaviour)

    def old_sets(self, account: str, *, count: int, days: float = 365) -> None:
        """Put completed sets of the past into an account."""
        self._post(f"accounts/{account}/old-sets", {"count": count, "days": days})

    def token(self, token: str, **token_parts: Any) -> None:
        """Make a token: ``accounts``, ``app_id``, ``user_id``, ``scopes``."""
        self._post("tokens", {"token": token, **token_parts})

    def move_clock(self, seconds: float) -> None:
        self._post("clock", {"move_seconds": seconds})

    def freeze_clock(self, *, frozen: bool = True) -> None:
        self._post("clock", {"frozen": frozen})

    def clock(self) -> dict[str, Any]:
        """Return ``{"time", "frozen", "ahead_seconds"}``."""
        return self._call("GET", "clock")

    def batches(self, **behaviour: Any) -> None:
        """Say how batches end what is not done: ``unfinished``, ``timeout_seconds``."""
        self._post("batches", behaviour)

    def trouble(self, kind: str, **rule: Any) -> None:
        """Add a rule of trouble: ``method``, ``path``, ``account``, ``count``, ``effect``, …"""
        self._post("troubles", {"kind": kind, **rule})

    def troubles(self) -> list[dict[str, Any]]:
        """Return the rules that are left."""
        rules: list[dict[str, Any]] = self._call("GET", "troubles")["troubles"]
        return rules

    def end_troubles(self) -> None:
        """Let everything go well from now on."""
        self._call("DELETE", "troubles")

    def latency(self, latency_ms: float, *, operation_latency_ms: float = 0) -> None:
        body = {"latency_ms": latency_ms, "operation_latency_ms": operation_latency_ms}
        self._post("latency", body)

    def override(self, object_id: str, **fields: Any) -> None:
        """Make reads of one set or request show these raw values."""
        self._post("overrides", {"id": object_id, "fields": fields})

    def complete(self, set_id: str) -> None:
        self._post(f"sets/{set_id}/complete", {})

    def advance(self, set_id: str, *, requests: int) -> None:
        self._post(f"sets/{set_id}/advance", {"requests": requests})

    def release(self) -> int:
        """Let the held calls go on; return how many there were."""
        released: int = self._post("release", {})["released"]
        return released

    def reset(self) -> None:
        self._post("reset", {})

    def ledger(self, account: str | None = None) -> list[dict[str, Any]]:
        """Return the sets that really exist, oldest first."""
        query = {} if account is None else {"account": account}
        sets: list[dict[str, Any]] = self._call("GET", "ledger", params=query)["sets"]
        return sets

    def set_names(self) -> list[str]:
        """Return the names of the sets that exist, oldest first, without the tag of a receiver."""
        return [without_tag(each["name"]) for each in self.ledger()]

    def calls(self) -> dict[str, Any]:
        """Return ``{"calls": […], "totals": {…}}``."""
        return self._call("GET", "calls")

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method, f"{self.url}/sandbox/{path}", timeout=_TIMEOUT_SECONDS, **arguments
            )
        if not response.ok:
            raise AssertionError(f"The sandbox refused {path}: {response.text}")
        answer: dict[str, Any] = response.json()
        return answer


def without_tag(name: str) -> str:
    """Return a set's name as its caller gave it, whether a receiver made the set or not."""
    return re.sub(r" \[rcv:.*\]\Z", "", name)


@contextmanager
def running_sandbox(
    *, app_secret: str | None = None, is_strict: bool = False
) -> Iterator[SandboxControl]:
    """Run a sandbox in threads of this process, on a free port."""
    sandbox = Sandbox(app_secret=app_secret, is_strict=is_strict)
    with serving(sandbox, host="127.0.0.1", port=0) as server:
        yield SandboxControl(server.url)


class GraphCaller:
    """Plain Graph calls to a host, over one kept connection, with a token in the query."""

    def __init__(self, url: str, *, token: str = "token") -> None:
        self.url = url
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call ``path`` (with its slash); ``params``, ``data``, ``json`` are those of requests."""
        params = {"access_token": self.token, **arguments.pop("params", {})}
        return self.session.request(
            method, self.url + path, params=params, timeout=_TIMEOUT_SECONDS, **arguments
        )

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params).json()

    def post(self, path: str, **data: Any) -> Any:
        return self.call("POST", path, data=data).json()

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path).json()

    def create(self, account: str, specs: list[Any], **data: Any) -> str:
        """Create a set named ``set`` and return its id."""
        form = {"name": "set", "ad_specs": json.dumps(specs), **data}
        set_id: str = self.post(f"/act_{account}/asyncadrequestsets", **form)["id"]
        return set_id

    def read_requests(self, set_id: str) -> list[dict[str, Any]]:
        """Return the first page of a set's requests."""
        requests_of_set: list[dict[str, Any]] = self.get(f"/{set_id}/requests")["data"]
        return requests_of_set


@dataclass(frozen=True)
class Received:
    """An HTTP call that a listener got."""

    target: str
    headers: dict[str, str]
    body: bytes


class Listener:
    """An HTTP server that keeps every POST it gets, and answers all of them alike."""

    def __init__(self, *, status: int, body: bytes, delay_seconds: float = 0) -> None:
        self.received: list[Received] = []
        self._arrived = threading.Condition()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                call = Received(self.path, dict(self.headers.items()), self.rfile.read(length))
                listener._keep(call)
                time.sleep(delay_seconds)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def _keep(self, call: Received) -> None:
        with self._arrived:
            self.received.append(call)
            self._arrived.notify_all()

    def wait_for(self, count: int, *, seconds: float = _TIMEOUT_SECONDS) -> list[Received]:
        """Return what was received, once there are ``count`` calls of it."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.received) >= count, timeout=seconds)
            assert arrived, f"{len(self.received)} of {count} notifications came"
            return list(self.received)


@contextmanager
def listening(
    *, status: int = 200, body: bytes = b"OK", delay_seconds: float = 0
) -> Iterator[Listener]:
    """Run a listener for notifications, on a free port."""
    listener = Listener(status=status, body=body, delay_seconds=delay_seconds)
    thread = threading.Thread(target=listener.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.server.shutdown()
        listener.server.server_close()
