"""A receiver as an operator runs it: gunicorn and workers as processes, and its customers."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests
from sqlalchemy import ColumnElement, select, update

from receiver.assembly import build
from receiver.cli.demo.compare import compare
from receiver.cli.demo.stage import stored_sets
from receiver.cli.processes import Fleet, is_listening, plain_environment
from receiver.settings import Settings, variable
from receiver.store.models import Base, Look, Notification, Request, RequestSet
from tests.support.house import SECRET_KEY, ad, add_account
from tests.support.sandbox import SandboxControl

ValueT = TypeVar("ValueT")
RowT = TypeVar("RowT", Look, Notification, Request)

PATIENCE_SECONDS = 30.0
REPOSITORY = Path(__file__).parents[2]

PACE: dict[str, Any] = {
    "first_look_seconds": 1,
    "look_interval_min_seconds": 0.5,
    "look_interval_max_seconds": 1,
    "notification_grace_seconds": 1,
    "notification_body_deadline_seconds": 1,
    "request_body_deadline_seconds": 3,
    "read_ttl_seconds": 0.5,
    "create_wait_seconds": 0,
    "delivery_allow_private_addresses": True,
    "delivery_retry_seconds": "0.5, 1, 1",
}
"""Settings that let a story take seconds."""

TALKATIVE = ("--access-logfile", "-", "--log-level", "debug")
"""Everything that gunicorn may log, so that a journey can look for secrets in it."""

SHORT_LEASE: dict[str, Any] = {"graph_deadline_seconds": 2, "lease_seconds": 12.1}
"""The shortest lease that is allowed, for stories that wait until one has run out."""


def eventually(
    read: Callable[[], ValueT],
    *,
    what: str | Callable[[], str],
    seconds: float = PATIENCE_SECONDS,
) -> ValueT:
    """Return what ``read`` returns as soon as that is true; ``what`` says what did not happen."""
    ends, pause_seconds = time.monotonic() + seconds, 0.02
    while not (value := read()):
        if time.monotonic() > ends:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"It did not happen in {seconds:g} s: {said}")
        time.sleep(pause_seconds)
        # Whoever waits for seconds need not keep the machine busy with asking.
        pause_seconds = min(1.5 * pause_seconds, 0.25)
    return value


def call(method: str, url: str, **arguments: Any) -> requests.Response:
    """Make one HTTP call over a connection of its own; ``arguments`` are those of requests."""
    with requests.Session() as session:
        session.trust_env = False
        arguments.setdefault("timeout", PATIENCE_SECONDS)
        return session.request(method, url, **arguments)


@contextmanager
def sandbox_process(folder: Path) -> Iterator[SandboxControl]:
    """Run ``receiver sandbox`` as a process of its own."""
    fleet = Fleet(folder, environment=plain_environment())
    try:
        yield SandboxControl(fleet.start_sandbox())
    finally:
        fleet.stop()


class Installation:
    """One database, and the processes that run on it."""

    def __init__(self, folder: Path, *, database_url: str, sandbox: SandboxControl) -> None:
        # Bound for as long as the processes run: gunicorn shares the port with this socket, which
        # never listens, and nobody else on this machine is given it meanwhile.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._port.getsockname()[1]}"
        self.database_url = database_url
        self.sandbox = sandbox
        settings = {
            "database_url": database_url,
            "public_url": self.url,
            "secret_keys": SECRET_KEY,
            "graph_url": sandbox.url,
            **PACE,
        }
        self.parts = build(Settings(**settings))
        self.fleet = Fleet(folder, environment=plain_environment())
        self.set(**settings)
        self._numbers = itertools.count(1)

    def set(self, **settings: Any) -> None:
        """Change settings of the processes that are started from now on."""
        self.fleet.add_environment({variable(name): str(settings[name]) for name in settings})

    def start_web(self, *options: str) -> subprocess.Popen[bytes]:
        """Start gunicorn with the repository's own configuration and application."""
        arguments = ["--config", str(REPOSITORY / "gunicorn.conf.py"), "--chdir", str(REPOSITORY)]
        host, port = self._port.getsockname()
        return self.fleet.start(
            "web",
            ["gunicorn", *arguments, "--bind", f"{host}:{port}", *options, "wsgi:app"],
            is_ready=lambda: is_listening(port),
        )

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker; the log of the first is named ``worker-1``."""
        return self.fleet.start_worker(f"worker-{next(self._numbers)}")

    def log(self, name: str) -> str:
        """What a process has printed so far."""
        return self.fleet.log(name).read_text()

    def close(self) -> None:
        self.fleet.stop()
        self.parts.close()
        self._port.close()

    def add_customer(self, account: str) -> Customer:
        """Add an ad account and a key for it."""
        return Customer(self, account, key=add_account(self.parts, int(account)))


@dataclass(frozen=True)
class Customer:
    """An ad account with its key: what its program does, and what SQL and Facebook have of it."""

    installation: Installation
    account: str
    key: str = field(repr=False)

    @property
    def sandbox(self) -> SandboxControl:
        return self.installation.sandbox

    def leave(self) -> None:
        """Let nobody look at what is left open: the next journeys have the worker to themselves."""
        mine = RequestSet.account_id == int(self.account)
        with self.installation.parts.database.writing() as session:
            session.execute(update(RequestSet).where(mine).values(look_at=None))

    def create(self, *, ads: int = 2, version: str = "/v21.0", **parameters: Any) -> Any:
        """Create a set by a form and return the answer; every third of its ads fails."""
        form = {"name": "A set", "ad_specs": json.dumps(specs(ads)), **parameters}
        return self.call("POST", f"{version}/act_{self.account}/asyncadrequestsets", data=form)

    def create_open(self, **arguments: Any) -> str:
        """Create a set and return Facebook's id of it."""
        response = self.create(**arguments)
        assert response.status_code == 200, response.text
        set_id: str = response.json()["id"]
        return set_id

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the receiver with the key."""
        headers = {"Authorization": f"Bearer {self.key}", **arguments.pop("headers", {})}
        return call(method, self.installation.url + path, headers=headers, **arguments)

    def expect(self, **behaviour: Any) -> None:
        """Tell Facebook how the sets of this account behave."""
        self.sandbox.configure(self.account, **behaviour)

    def ledger(self) -> list[dict[str, Any]]:
        """The sets that Facebook really has, oldest first."""
        return self.sandbox.ledger(self.account)

    def calls(self, edge: str = "") -> list[dict[str, Any]]:
        """The calls that Facebook got for this account, those alone whose path ends so."""
        return [
            one
            for one in self.sandbox.calls()["calls"]
            if one["account"] == self.account and one["path"].endswith(edge)
        ]

    def notification_uri(self) -> str:
        """Where Facebook sends the notification of the newest set."""
        uri: str = self.ledger()[-1]["notification_uri"]
        return uri

    def sets(self) -> list[RequestSet]:
        """The sets in SQL, oldest first."""
        with self.installation.parts.database.reading() as session:
            mine = select(RequestSet).where(RequestSet.account_id == int(self.account))
            return list(session.scalars(mine.order_by(RequestSet.id)))

    def rows(self, model: type[RowT]) -> list[RowT]:
        """The rows of a table that belong to the sets, oldest first."""
        ids = [row.id for row in self.sets()]
        with self.installation.parts.database.reading() as session:
            mine = select(model).where(model.request_set_id.in_(ids))
            return list(session.scalars(mine.order_by(model.id)))

    def wait_for_state(self, state: str = "collected") -> None:
        """Wait until every set is in a state."""
        self._wait_until_none(RequestSet.state != state, what=f"every set {state}")

    def wait_until_settled(self) -> None:
        """Wait until every set is collected, and nothing is left to learn of any."""
        self.wait_for_state()
        self._wait_until_none(RequestSet.look_at.is_not(None), what="every set settled")

    def _wait_until_none(self, is_left: ColumnElement[bool], *, what: str) -> None:
        mine = select(RequestSet.id, RequestSet.state, RequestSet.state_reason).where(
            RequestSet.account_id == int(self.account), is_left
        )

        def left() -> list[Any]:
            with self.installation.parts.database.reading() as session:
                return [tuple(row) for row in session.execute(mine.limit(5))]

        eventually(lambda: not left(), what=lambda: f"{what}, these are not: {left()}")

    def wait_for_verdict(self, verdict: str) -> None:
        """Wait until every set has a verdict."""
        eventually(
            lambda: all(row.verdict == verdict for row in self.sets()), what=f"verdict {verdict}"
        )

    def wait_for_call(self, *, trouble: str, edge: str = "") -> None:
        """Wait until Facebook got a call that is in such trouble."""
        eventually(
            lambda: any(one["trouble"] == trouble for one in self.calls(edge)),
            what=f"a call of {edge} in trouble: {trouble}",
        )

    def release(self) -> None:
        """Let the call that Facebook holds go on."""
        eventually(lambda: self.sandbox.release() > 0, what="a held call")

    def findings(self) -> list[str]:
        """What SQL lacks, has twice or has otherwise than Facebook does."""
        keys = self.installation.parts.keys

        def intent_of(uri: str) -> int | None:
            token = keys.token_in_uri(uri)
            return None if token is None else token.intent

        stored = stored_sets(self.installation.parts.database, [int(self.account)])
        return compare(self.ledger(), stored, intent_of=intent_of).findings

    def assert_whole(self, *, sets: int = 1) -> None:
        """Compare SQL with Facebook: as many sets, none missing, none doubled, results equal."""
        assert self.findings() == []
        assert len(self.ledger()) == len(self.sets()) == sets


def specs(count: int) -> list[dict[str, Any]]:
    """Specifications of ads; every third fails."""
    return [ad(f"{'to fail' if number % 3 == 2 else 'good'} {number}") for number in range(count)]


def values_of(row: Base) -> dict[str, Any]:
    """Every value of a row that is not read only on demand, to be compared with it later."""
    return {
        column.key: getattr(row, column.key)
        for column in type(row).__mapper__.column_attrs
        if not column.deferred
    }
