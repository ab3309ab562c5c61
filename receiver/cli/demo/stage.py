"""The demo's stage: sandbox, web service and worker as processes on SQLite in one folder."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from receiver.cli.demo.compare import StoredSet
from receiver.cli.demo.story import Chapter
from receiver.cli.processes import WEB_OPTIONS, Fleet, free_port, is_listening, plain_environment
from receiver.crypto import Keys
from receiver.store import reports
from receiver.store.database import Database
from receiver.store.lists import paging
from receiver.store.lists.request_sets import SetFilter, listing

_TIMEOUT_SECONDS = 30
_PAGE_LIMIT = 500

_PACE = {
    "RECEIVER_FIRST_LOOK_SECONDS": "5",
    "RECEIVER_LOOK_INTERVAL_MIN_SECONDS": "1",
    "RECEIVER_LOOK_INTERVAL_MAX_SECONDS": "4",
    "RECEIVER_NOTIFICATION_GRACE_SECONDS": "6",
}
"""Settings that let the demo end within a minute."""


class Stage:
    """The running processes, and how the demo talks to them: over HTTP, like anybody else."""

    def __init__(
        self,
        folder: Path,
        *,
        web_options: Sequence[str] = WEB_OPTIONS,
        pace: Mapping[str, str] = _PACE,
    ) -> None:
        """``pace``: settings that say how often is looked; an empty one leaves the defaults."""
        self._web_options = web_options
        self._pace = pace
        self.sandbox_url = ""
        self.receiver_url = ""
        self.key = ""
        self._secret_key = secrets.token_hex(32)
        self._database_url = f"sqlite:///{folder / 'receiver.db'}"
        self._fleet = Fleet(folder, environment=plain_environment())

    def open(self, accounts: list[str]) -> None:
        """Start everything, with these accounts and one key for them. Raises NotStarted."""
        self.sandbox_url = self._fleet.start_sandbox()
        port = free_port()
        self.receiver_url = f"http://127.0.0.1:{port}"
        self._fleet.add_environment(self._settings())
        self._fleet.run(["receiver", "db", "upgrade"])
        named = [f"act_{account}" for account in accounts]
        self._fleet.run(
            ["receiver", "account", "add", *named, "--token-stdin"], text="demo-token\n"
        )
        options = [part for name in named for part in ("--account", name)]
        self.key = self._fleet.run(["receiver", "key", "create", "demo", *options]).split()[-1]
        self._start_web(port)
        self._fleet.start_worker("worker")

    def close(self) -> None:
        """End every process."""
        self._fleet.stop()

    def _start_web(self, port: int) -> None:
        options = ["--bind", f"127.0.0.1:{port}", *self._web_options]
        self._fleet.start(
            "web",
            ["gunicorn", *options, "receiver.app:create_app()"],
            is_ready=lambda: is_listening(port),
        )

    def _settings(self) -> dict[str, str]:
        return {
            **self._pace,
            "RECEIVER_DATABASE_URL": self._database_url,
            "RECEIVER_PUBLIC_URL": self.receiver_url,
            "RECEIVER_SECRET_KEYS": self._secret_key,
            "RECEIVER_GRAPH_URL": self.sandbox_url,
        }

    def create(self, chapter: Chapter) -> None:
        """Create a chapter's set through the receiver, its trouble arranged beforehand."""
        behaviour = {
            "progress": chapter.progress,
            "notification": chapter.notification,
            "next_sets": 1,
        }
        url = f"{self.sandbox_url}/sandbox/accounts/{chapter.account}"
        requests.post(url, json=behaviour, timeout=_TIMEOUT_SECONDS).raise_for_status()
        answer = requests.post(
            f"{self.receiver_url}/v21.0/act_{chapter.account}/asyncadrequestsets",
            data={"name": chapter.name, "ad_specs": json.dumps(chapter.ad_specs())},
            headers=self._authorization(),
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()

    def sets(self) -> list[dict[str, Any]]:
        """The sets as the admin API lists them, in the order in which they were created."""
        answer = requests.get(
            f"{self.receiver_url}/admin/api/request-sets",
            params={"limit": str(_PAGE_LIMIT)},
            headers=self._authorization(),
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        newest_first: list[dict[str, Any]] = answer.json()["data"]
        return newest_first[::-1]

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ledger(self) -> list[dict[str, Any]]:
        """The sets that the sandbox really has."""
        answer = requests.get(f"{self.sandbox_url}/sandbox/ledger", timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        sets: list[dict[str, Any]] = answer.json()["sets"]
        return sets

    def stored(self, accounts: list[str]) -> list[StoredSet]:
        """The sets as they are in SQL, read without the receiver's web service."""
        database = Database(self._database_url, timeout_seconds=5)
        stored = stored_sets(database, [int(account) for account in accounts])
        database.close()
        return stored

    def intent_of(self, notification_uri: str) -> int | None:
        """Read the intent out of a URI that the sandbox was given."""
        token = Keys([self._secret_key]).token_in_uri(notification_uri)
        return None if token is None else token.intent


def stored_sets(database: Database, account_ids: Collection[int]) -> list[StoredSet]:
    """Read what is in SQL of some accounts' newest sets."""
    with database.reading() as session:
        page = paging.read_page(
            session, listing(SetFilter(account_ids)), after=None, limit=_PAGE_LIMIT
        )
        return [
            StoredSet(
                request_set_id=row["id"],
                facebook_id=row["facebook_id"],
                state=row["state"],
                requests={
                    str(one.id): (one.status, json.loads(one.result or b"null"))
                    for one in reports.requests_of(
                        session, row["id"], after=None, before=None, limit=2 * _PAGE_LIMIT
                    )
                },
            )
            for row in page.rows
        ]
