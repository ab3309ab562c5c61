"""The drill's stage: a sandbox in trouble, two web workers, two workers, three ad accounts."""

from __future__ import annotations

import json
import random
import secrets
import socket
import subprocess
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from receiver.cli.processes import WEB_OPTIONS, Fleet, is_listening, plain_environment

ACCOUNTS = ("71597454", "187687683", "40020001")

_TIMEOUT_SECONDS = 30

_SETTINGS = {
    # Short enough that what is lost is found within a drill, in the proportions of the defaults.
    "RECEIVER_GRAPH_CONNECT_TIMEOUT_SECONDS": "2",
    "RECEIVER_GRAPH_READ_TIMEOUT_SECONDS": "2",
    "RECEIVER_GRAPH_DEADLINE_SECONDS": "4",
    "RECEIVER_LEASE_SECONDS": "14.5",
    "RECEIVER_SEND_BEFORE_SECONDS": "2",
    "RECEIVER_CREATE_WAIT_SECONDS": "2",
    "RECEIVER_FIRST_LOOK_SECONDS": "3",
    "RECEIVER_LOOK_INTERVAL_MIN_SECONDS": "1",
    "RECEIVER_LOOK_INTERVAL_MAX_SECONDS": "5",
    "RECEIVER_NOTIFICATION_GRACE_SECONDS": "3",
    "RECEIVER_DATABASE_TIMEOUT_SECONDS": "5",
}
_CREATES = {"method": "POST", "path": "/asyncadrequestsets$"}
_READS = {"method": "GET"}

TROUBLES: tuple[dict[str, Any], ...] = (
    {"kind": "commit_then_drop", "probability": 0.05, **_CREATES},
    {"kind": "reset", "probability": 0.05, **_CREATES},
    {"kind": "cut", "probability": 0.03, **_CREATES},
    {"kind": "no_id", "probability": 0.03, **_CREATES},
    {"kind": "null", "probability": 0.02, **_CREATES},
    {"kind": "http_error", "probability": 0.03, "effect": "before", **_CREATES},
    {"kind": "slow", "probability": 0.03, "seconds": 3, "effect": "after", **_CREATES},
    {"kind": "graph_error", "probability": 0.03, "code": 2, "effect": "before", **_CREATES},
    {"kind": "http_error", "probability": 0.03, **_READS},
    {"kind": "graph_error", "probability": 0.03, "code": 2, "http_status": 500, **_READS},
    {"kind": "error_in_200", "probability": 0.02, "code": 1, **_READS},
    {"kind": "not_json", "probability": 0.02, **_READS},
    {"kind": "cut", "probability": 0.02, **_READS},
    {"kind": "reset", "probability": 0.02, **_READS},
    {"kind": "slow", "probability": 0.02, "seconds": 3, **_READS},
    {"kind": "throttle", "probability": 0.0005, "seconds": 2, **_READS},
)
"""What goes wrong with calls to Facebook, by chance."""

NOTIFICATIONS: tuple[dict[str, Any], ...] = (
    {"kind": "deliver"},
    {"kind": "deliver", "body": "json"},
    {"kind": "deliver", "body": "empty"},
    {"kind": "deliver", "body": "garbage"},
    {"kind": "deliver", "body_id": "1"},
    {"kind": "twice"},
    {"kind": "never"},
    {"kind": "lost"},
    {"kind": "error"},
    {"kind": "late", "seconds": 4},
    {"kind": "before_answer"},
)
PROGRESSES: tuple[dict[str, Any], ...] = (
    {"kind": "at_once"},
    {"kind": "after_seconds", "seconds": 1},
    {"kind": "after_seconds", "seconds": 4},
    {"kind": "after_reads", "reads": 2},
)
EDGES: tuple[dict[str, Any], ...] = (
    {"order": "newest_first"},
    {"order": "random", "seed": 7, "stale_seconds": 4},
    {"order": "oldest_first", "uris": "rewritten"},
)
"""How each of the accounts lists its sets."""

PATIENCE_SECONDS = 360.0
"""How long to wait, after the trouble, for what is not known yet.

An account whose throttle error names no time is left alone for five minutes.
"""


class Stage:
    """The processes, and how the drill reaches them: over HTTP, like anybody else."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        broker_url: str | None = None,
        settle_seconds: float,
    ) -> None:
        self._settle_seconds = settle_seconds
        self.database_url = database_url
        self._broker_url = broker_url
        self.url = ""
        self.keys: dict[str, str] = {}
        self.web: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._sandbox_url = ""
        # Bound for as long as the drill runs: gunicorn shares the port with this socket, which
        # never listens, and no other connection is given it while the web service is down.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self._port: int = self._held.getsockname()[1]
        self._starts: Counter[str] = Counter()
        self._fleet = Fleet(folder, environment=plain_environment())

    def open(self) -> None:
        """Start everything. Raises NotStarted."""
        self._sandbox_url = self._fleet.start_sandbox()
        self.url = f"http://127.0.0.1:{self._port}"
        self._fleet.add_environment(
            {
                **_SETTINGS,
                "RECEIVER_SETTLE_SECONDS": str(self._settle_seconds),
                "RECEIVER_DATABASE_URL": self.database_url,
                "RECEIVER_PUBLIC_URL": self.url,
                "RECEIVER_SECRET_KEYS": secrets.token_hex(32),
                "RECEIVER_GRAPH_URL": self._sandbox_url,
            }
        )
        if self._broker_url is not None:
            self._fleet.add_environment({"RECEIVER_BROKER_URL": self._broker_url})
        self._fleet.run(["receiver", "db", "upgrade"])
        for account in ACCOUNTS:
            added = ["receiver", "account", "add", account, "--token-stdin"]
            self._fleet.run(added, text=f"token-of-{account}\n")
            created = ["receiver", "key", "create", account, "--account", account]
            self.keys[account] = self._fleet.run(created).split()[-1]
        self.start_web()
        self.workers = [self.start_worker() for _ in range(2)]

    def close(self) -> None:
        """End every process."""
        self._fleet.stop()
        self._held.close()

    def start_web(self) -> None:
        """Start the web service, with two processes. Raises NotStarted."""
        options = ["--bind", f"127.0.0.1:{self._port}", "--workers", "2", "--reuse-port"]
        options += WEB_OPTIONS
        self.web = self._fleet.start(
            self._name("web"),
            ["gunicorn", *options, "receiver.app:create_app()"],
            is_ready=lambda: is_listening(self._port),
        )

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start one worker. Raises NotStarted."""
        return self._fleet.start_worker(self._name("worker"))

    def _name(self, kind: str) -> str:
        self._starts[kind] += 1
        return f"{kind}-{self._starts[kind]}"

    def begin_trouble(self, *, seed: int) -> None:
        """Let calls to Facebook go wrong by chance, and each account list its sets in its way."""
        for number, rule in enumerate(TROUBLES):
            # Once for certain, so that the shortest drill meets each of them, then by chance.
            certain = {name: rule[name] for name in rule if name != "probability"}
            self._control("POST", "troubles", certain)
            self._control("POST", "troubles", {**rule, "seed": seed + number})
        for account, edge in zip(ACCOUNTS, EDGES, strict=True):
            self._control("POST", f"accounts/act_{account}", {"edge": edge})

    def end_trouble(self) -> None:
        """Let everything go well from now on."""
        self._control("DELETE", "troubles")
        for account in ACCOUNTS:
            self._control("POST", f"accounts/act_{account}", {"notification": {"kind": "deliver"}})

    def behave(self, account: str, draws: random.Random) -> None:
        """Draw how the next set of an account progresses, and what becomes of its notification."""
        behaviour = {
            "progress": draws.choice(PROGRESSES),
            "notification": draws.choice(NOTIFICATIONS),
            "next_sets": 1,
        }
        self._control("POST", f"accounts/act_{account}", behaviour)

    def create_witnesses(self) -> None:
        """Create a set in every account: what is created later shows how fresh a list is."""
        for account in ACCOUNTS:
            # One that fails is made the next time.
            with suppress(requests.RequestException):
                name, key = f"witness {uuid.uuid4().hex}", uuid.uuid4().hex
                self.create(account, name=name, ads=1, key=key)

    def create(self, account: str, *, name: str, ads: int, key: str) -> requests.Response:
        """Create a set as a caller does. Raises requests.RequestException."""
        specs = [
            {"name": f"{'ad' if number % 4 else 'will fail'} {number}", "adset_id": "5"}
            for number in range(ads)
        ]
        return requests.post(
            f"{self.url}/v21.0/act_{account}/asyncadrequestsets",
            data={"name": name, "ad_specs": json.dumps(specs)},
            headers={"Authorization": f"Bearer {self.keys[account]}", "Idempotency-Key": key},
            timeout=_TIMEOUT_SECONDS,
        )

    def ledger(self) -> list[dict[str, Any]]:
        """The sets that the sandbox really has."""
        sets: list[dict[str, Any]] = self._control("GET", "ledger")["sets"]
        return sets

    def met_trouble(self) -> Counter[str]:
        """How many calls met each kind of trouble, and how many sets each notification's."""
        calls = self._control("GET", "calls")["calls"]
        return Counter(f"{_verb(one)} {one['trouble']}" for one in calls if one["trouble"])

    def _control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        url = f"{self._sandbox_url}/sandbox/{path}"
        answer = requests.request(method, url, json=body, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _verb(call: dict[str, Any]) -> str:
    return "create" if call["method"] == "POST" else "read"
