"""A receiver in this process: its parts, its web application and a sandbox over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest import mock

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from receiver.app import create_app
from receiver.assembly import Parts, build
from receiver.crypto import hash_api_key, new_api_key
from receiver.graph.client import GraphClient
from receiver.lifecycle import deliver, step
from receiver.settings import Settings
from receiver.store import accounts, heartbeats, keys
from receiver.store.database import DatabaseAway
from receiver.store.models import ApiKey, Base, RequestSet, Submission
from receiver.web.context import attach, detach, outgoing_slots, readers_of
from receiver.web.slots import NoSlot
from tests.support.sandbox import SandboxControl, running_sandbox

RowT = TypeVar("RowT", bound=Base)

ACCOUNT = 71597454
SECRET_KEY = "0123456789abcdef0123456789abcdef"
TOKEN = "EAAB-the-token-of-facebook"
PUBLIC_URL = "http://receiver.test"
_PATIENCE_SECONDS = 30.0


class Clock:
    """A clock that is moved by hand; it starts at the present, as the sandbox's does."""

    def __init__(self) -> None:
        self._moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._moment

    def move(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)


@dataclass
class House:
    """Everything a test needs to be caller, Facebook, worker and admin in one."""

    parts: Parts
    sandbox: SandboxControl
    clock: Clock
    client: FlaskClient
    key: str
    taken: list[ExitStack] = field(default_factory=list)

    def create(self, specs: Any = None, **parameters: Any) -> TestResponse:
        """Create a set as a caller does; without specs, one with two ads."""
        if specs is None:
            specs = [ad("one"), ad("two")]
        form = {"name": "A set", "ad_specs": json.dumps(specs), "access_token": self.key}
        return self.client.post(
            f"/v21.0/act_{ACCOUNT}/asyncadrequestsets", data={**form, **parameters}
        )

    def create_open(self, specs: Any = None, **parameters: Any) -> str:
        """Create a set and return Facebook's id of it."""
        response = self.create(specs, **parameters)
        assert response.status_code == 200, response.text
        set_id: str = response.get_json()["id"]
        return set_id

    def get(self, path: str, **query: Any) -> TestResponse:
        """Read as a caller does, on Graph-shaped or admin paths."""
        return self.client.get(
            path, query_string=query or None, headers={"Authorization": f"Bearer {self.key}"}
        )

    def notify(self, set_id: str | None = None, **request: Any) -> TestResponse:
        """Post a notification on the newest set's URL, or on that of the named one."""
        entries = [e for e in self.sandbox.ledger() if set_id in (None, e["id"])]
        path = entries[-1]["notification_uri"].removeprefix(PUBLIC_URL)
        return self.client.post(path, **(request or {"data": {"id": entries[-1]["id"]}}))

    def let_time_pass(self, seconds: float) -> None:
        """Move our clock and Facebook's."""
        self.clock.move(seconds)
        self.sandbox.move_clock(seconds)

    def work(self, *, most: int = 100) -> int:
        """Apply every hint and do every step that is due now; return how many steps there were."""
        while step.apply_hints(self.parts.tools):
            pass
        for done in range(most):
            if not step.advance(self.parts.tools):
                return done
        raise AssertionError("The work does not end")

    def let_a_worker_beat(self) -> None:
        """Say that a worker is alive now."""
        now = self.clock()
        with self.parts.database.writing() as session:
            heartbeats.beat(session, "a worker", started_at=now, now=now)

    def deliver(self, *, most: int = 100) -> int:
        """Make every attempt to tell a caller that is due now; return how many there were."""
        for done in range(most):
            claim = deliver.claim_next(self.parts.tools)
            if claim is None:
                return done
            deliver.deliver(self.parts.tools, claim)
        raise AssertionError("The deliveries do not end")

    def let_callers_wait(self, seconds: float) -> None:
        """Let a caller's read wait for Facebook as long as this, and no longer."""
        readers_of(self.client.application).patience_seconds = seconds

    def set_private_addresses(self, *, allowed: bool) -> None:
        """Let callers be told at addresses of this machine, or not."""
        self.parts.tools.sender.allow_private_addresses = allowed

    @contextmanager
    def with_facebook_at(self, url: str) -> Iterator[None]:
        """Let the web service call another Facebook for the block."""
        tools = self.parts.tools
        settings = make_settings(self.parts.settings.database_url.get_secret_value(), url)
        other = replace(self.parts, settings=settings)
        with closing(client_for(self.parts.settings, url)) as client:
            app = self.client.application
            _attach(app, replace(other, tools=replace(tools, client=client)))
            try:
                yield
            finally:
                detach(app)
                _attach(app, self.parts)

    @contextmanager
    def database_that_goes_away_after_a_call(self) -> Iterator[None]:
        """Let the database be away once Facebook was asked, until the block ends."""
        database, client = self.parts.database, self.parts.tools.client
        real_reading, real_pass_on = database.reading, client.pass_on
        is_away = threading.Event()

        def reading() -> Any:
            if is_away.is_set():
                raise DatabaseAway("it went away")
            return real_reading()

        def pass_on(*arguments: Any, **named: Any) -> Any:
            answer = real_pass_on(*arguments, **named)
            is_away.set()
            return answer

        with (
            mock.patch.object(database, "reading", reading),
            mock.patch.object(client, "pass_on", pass_on),
        ):
            yield

    def take_all_slots(self) -> None:
        """Let as many calls wait for Facebook as may, for as long as the test runs."""
        with self.client.application.app_context():
            slots = outgoing_slots()
        taken = ExitStack()
        with suppress(NoSlot):
            for account_id in range(1, 1000):
                taken.enter_context(slots.slot(account_id))
        self.taken.append(taken)

    def rotate_keys(self, *secret_keys: str) -> None:
        """Let every part of this process go on with other keys, as after a restart."""
        self.parts.keys.__init__(secret_keys)  # type: ignore[misc]  # all parts share the object

    def replace_token(self) -> None:
        """Give the account a new token, as an operator does with ``account add``."""
        with self.parts.database.writing() as session:
            accounts.put_accounts(
                session,
                [ACCOUNT],
                sealed_token=self.parts.keys.seal("EAAB-a-new-token"),
                sealed_app_secret=None,
                now=self.clock(),
            )

    def without_expansion(self) -> House:
        """Let this process know that Facebook shows no set with its requests."""
        self.parts.tools.without_expansion.add(ACCOUNT)
        return self

    def forget_signing_keys(self) -> None:
        """Let every submission look as if it were from before its key was kept."""
        with self.parts.database.writing() as session:
            session.execute(update(Submission).values(signing_key_id=None))

    def make_key_read_only(self) -> None:
        """Take from the caller's key all that changes something."""
        with self.parts.database.writing() as session:
            session.execute(update(ApiKey).values(is_read_only=True))

    def the_set(self) -> RequestSet:
        """Return the one intent there is."""
        (row,) = self.rows(RequestSet)
        return row

    def rows(self, model: type[RowT]) -> list[RowT]:
        """Return every row of a table, oldest first."""
        with self.parts.database.reading() as session:
            return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def ad(name: str, **fields: Any) -> dict[str, Any]:
    """An ad's specification; the sandbox fails one whose name holds ``fail``."""
    return {"name": name, "adset_id": "6008248529789", "status": "PAUSED", **fields}


@contextmanager
def open_house(database_url: str, **settings: Any) -> Iterator[House]:
    """Build a receiver on a migrated database, with one account and a key for it."""
    clock = Clock()
    with running_sandbox() as sandbox:
        parts = build(make_settings(database_url, sandbox.url, **settings), now=clock)
        # No chance: every interval is exactly what the settings say.
        parts = replace(parts, tools=replace(parts.tools, chance=lambda: 0.0))
        with application(parts) as app:
            try:
                key = add_account(parts, ACCOUNT)
                yield House(parts, sandbox, clock, client=app.test_client(), key=key)
            finally:
                detach(app)
                parts.close()


_spare: dict[tuple[object, ...], list[Flask]] = {}
"""Applications of this process that nobody uses, by the settings that they were made with.

To make one, with its routes and templates, takes longer than many a test.
"""


@contextmanager
def application(parts: Parts) -> Iterator[Flask]:
    """Yield the web application of some parts, that nobody else uses meanwhile."""
    settings = parts.settings
    made_with = (
        settings.request_body_limit_bytes,
        settings.trusted_proxies,
        settings.public_url,
        settings.secret_keys,
    )
    spare = _spare.setdefault(made_with, [])
    app = spare.pop() if spare else create_app(parts)
    config = dict(app.config)
    _attach(app, parts)
    yield app
    app.config.clear()
    app.config.update(config)
    spare.append(app)


def _attach(app: Flask, parts: Parts) -> None:
    attach(app, parts)
    # What a read shows must not hang on how fast this machine looks at Facebook.
    readers_of(app).patience_seconds = _PATIENCE_SECONDS


def client_for(settings: Settings, url: str) -> GraphClient:
    """A client of another Facebook."""
    return GraphClient(
        url,
        connect_timeout_seconds=1,
        read_timeout_seconds=20,
        deadline_seconds=20,
        stream_limit_bytes=settings.upload_limit_bytes,
    )


def make_settings(database_url: str, graph_url: str, **settings: Any) -> Settings:
    """Return the settings of a receiver under test: the required ones, and what is given."""
    return Settings(
        **{
            "database_url": database_url,
            "public_url": PUBLIC_URL,
            "secret_keys": SECRET_KEY,
            "graph_url": graph_url,
            # Nobody works beside a test: who waits for an outcome would wait in vain.
            "create_wait_seconds": 0,
            **settings,
        }
    )


def add_account(parts: Parts, account_id: int, *, token: str = TOKEN) -> str:
    """Add an account with its credential, and return a key for it."""
    key = new_api_key()
    with parts.database.writing() as session:
        accounts.put_accounts(
            session,
            [account_id],
            sealed_token=parts.keys.seal(token),
            sealed_app_secret=None,
            now=parts.now(),
        )
        keys.add_key(
            session,
            f"key of {account_id}",
            key_hash=hash_api_key(key),
            account_ids=[account_id],
            now=parts.now(),
        )
    return key
