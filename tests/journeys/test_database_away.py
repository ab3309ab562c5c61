"""The database locked or away for ten seconds while notifications arrive."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from receiver.store.models import Notification
from tests.support.databases import POSTGRES
from tests.support.processes import Customer, Installation, call

pytestmark = pytest.mark.drill

OUTAGE_SECONDS = 10.0
PAUSE_SECONDS = 0.5
SETS = 6


@contextlib.contextmanager
def database_away(url: str) -> Iterator[None]:
    """Lock SQLite's database, or let PostgreSQL drop every connection to it and take no other."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    name = make_url(url).database or ""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(POSTGRES, autocommit=True, dbname="postgres") as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        yield
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@dataclass
class Sender:
    """Posts on one notification URL, each time with another body, until told that it is enough."""

    uri: str
    answers: dict[bytes, int] = field(default_factory=dict)

    def run(self, enough: threading.Event) -> None:
        status = 0
        while not (enough.is_set() and status == 200):
            body = f"{self.uri[-6:]} {len(self.answers)}".encode()
            status = call("POST", self.uri, data=body).status_code
            self.answers[body] = status
            enough.wait(PAUSE_SECONDS) if status == 200 else time.sleep(PAUSE_SECONDS)


def test_while_the_database_is_away_no_notification_is_lost_that_was_taken(
    installation: Installation, own_customer: Customer
) -> None:
    installation.set(database_timeout_seconds=2)
    web = installation.start_web()
    worker = installation.start_worker()
    own_customer.expect(progress={"kind": "by_hand"}, notification={"kind": "never"})
    ids = [own_customer.create_open(ads=20) for _ in range(SETS)]
    senders = [Sender(entry["notification_uri"]) for entry in own_customer.ledger()]
    enough = threading.Event()

    with ThreadPoolExecutor(SETS) as threads:
        running = [threads.submit(sender.run, enough) for sender in senders]
        with database_away(installation.database_url):
            began = time.monotonic()
            for set_id in ids:
                own_customer.sandbox.complete(set_id)
            refused = own_customer.create()
            time.sleep(max(0.0, began + OUTAGE_SECONDS - time.monotonic()))
        enough.set()
        for one in running:
            one.result()

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, 2)
    own_customer.wait_for_state()
    own_customer.assert_whole(sets=SETS)
    assert (web.poll(), worker.poll()) == (None, None)
    assert_kept_what_was_taken(own_customer, senders)


def assert_kept_what_was_taken(customer: Customer, senders: list[Sender]) -> None:
    answers = {body: status for sender in senders for body, status in sender.answers.items()}
    assert set(answers.values()) == {200, 503}
    taken = {body for body, status in answers.items() if status == 200}
    kept = [row.body for row in customer.rows(Notification)]
    assert taken <= set(kept)
    # A commit that broke off may have been the server's last act: a row, and yet 503.
    assert set(kept) <= set(answers)
    assert len(set(kept)) == len(kept)
