"""Workers that are killed, paused, doubled and told to end."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from receiver.store.models import Look, Request
from tests.support.processes import (
    PATIENCE_SECONDS,
    SHORT_LEASE,
    Customer,
    Installation,
    eventually,
    values_of,
)

pytestmark = pytest.mark.drill

AT_ONCE = {"kind": "at_once"}
REQUESTS = "/requests$"
OLDER = {"status": "IN_PROGRESS", "result": None}


def snapshot(customer: Customer) -> list[dict[str, Any]]:
    """Everything that SQL holds of the sets and their requests, moments and leases included."""
    return [values_of(row) for row in (*customer.sets(), *customer.rows(Request))]


def test_what_a_killed_worker_left_is_collected_once_its_lease_is_over(
    installation: Installation, own_customer: Customer
) -> None:
    installation.start_web()
    installation.set(**SHORT_LEASE)
    killed = installation.start_worker()
    own_customer.expect(progress=AT_ONCE)
    # The first page comes with the set, the second is held.
    own_customer.sandbox.trouble("hold", path=REQUESTS, account=own_customer.account)
    own_customer.create_open(ads=1000)
    own_customer.wait_for_call(trouble="hold")

    killed.kill()
    killed.wait(PATIENCE_SECONDS)

    (left,) = own_customer.sets()
    assert (left.state, len(own_customer.rows(Request))) == ("completed", 500)
    assert left.lease_expires_at is not None
    installation.start_worker()
    own_customer.wait_for_state()
    own_customer.assert_whole()
    (collected,) = own_customer.sets()
    assert collected.collected_at is not None
    assert collected.collected_at >= left.lease_expires_at
    assert collected.lease_token is None


def test_a_worker_that_wakes_after_its_lease_changes_nothing(
    installation: Installation, own_customer: Customer
) -> None:
    installation.start_web()
    installation.set(**SHORT_LEASE)
    worker = installation.start_worker()
    own_customer.expect(progress={"kind": "by_hand"})
    set_id = own_customer.create_open(ads=30)
    first = own_customer.ledger()[0]["requests"][0]["id"]
    own_customer.sandbox.override(first, **OLDER)
    own_customer.sandbox.trouble(
        "hold", method="GET", path=f"^/{set_id}$", account=own_customer.account, effect="before"
    )
    own_customer.sandbox.complete(set_id)
    own_customer.wait_for_call(trouble="hold")

    with paused_with_older_rows(worker, own_customer):
        installation.start_worker()
        show_truth(own_customer, first)
        own_customer.wait_until_settled()
        before = snapshot(own_customer)

    eventually(lambda: "A lease ran out" in installation.log("worker-1"), what="it noticed")
    assert snapshot(own_customer) == before
    own_customer.assert_whole()
    worker.terminate()
    assert worker.wait(PATIENCE_SECONDS) == 0


def pause(worker: subprocess.Popen[bytes]) -> None:
    """Return once every thread stands still: one that runs on could take the lock with it."""
    worker.send_signal(signal.SIGSTOP)
    os.waitpid(worker.pid, os.WUNTRACED)


@contextlib.contextmanager
def paused_with_older_rows(worker: subprocess.Popen[bytes], customer: Customer) -> Iterator[None]:
    """Pause a worker that is about to write what Facebook holds back from it.

    On SQLite it is stopped while it waits for the lock to write. PostgreSQL's server would wait in
    its place, so there it is stopped before, and wakes with the answer in its socket.
    """
    if customer.installation.database_url.startswith("sqlite"):
        with locked(customer.installation):
            customer.release()
            # Long enough to read the answer; from outside nothing shows that it did.
            time.sleep(0.5)
            pause(worker)
    else:
        pause(worker)
        customer.release()
    try:
        yield
    finally:
        worker.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Hold SQLite's write lock."""
    path = installation.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def show_truth(customer: Customer, request_id: str) -> None:
    """Let reads of a request show again what is true."""
    (true,) = [one for one in customer.ledger()[0]["requests"] if one["id"] == request_id]
    customer.sandbox.override(request_id, status=true["status"], result=true["result"])


def test_two_workers_collect_every_set_exactly_once(
    installation: Installation, own_customer: Customer
) -> None:
    # Ten writers at one SQLite file may wait long for each other on a busy machine.
    installation.set(database_timeout_seconds=30)
    installation.start_web()
    for _ in range(2):
        installation.start_worker()
    own_customer.expect(progress=AT_ONCE)
    for kind in ["twice", "never", "deliver", "lost"] * 20:
        own_customer.expect(notification={"kind": kind}, next_sets=1)

    with ThreadPoolExecutor(8) as callers:
        ids = list(callers.map(lambda n: own_customer.create_open(name=f"Set {n}"), range(80)))

    own_customer.wait_until_settled()
    own_customer.assert_whole(sets=80)
    assert len(set(ids)) == 80
    looks = Counter(one.request_set_id for one in own_customer.rows(Look) if one.kind == "requests")
    assert looks == Counter(row.id for row in own_customer.sets())


def test_sigterm_ends_a_worker_between_two_steps(
    installation: Installation, own_customer: Customer
) -> None:
    installation.start_web()
    installation.set(worker_threads=1)
    worker = installation.start_worker()
    own_customer.expect(progress=AT_ONCE, notification={"kind": "never"})
    own_customer.sandbox.trouble("hold", method="GET", account=own_customer.account)
    own_customer.create_open()
    own_customer.wait_for_call(trouble="hold")
    for number in range(2):
        own_customer.create_open(name=f"Set {number}")

    worker.terminate()
    own_customer.release()

    assert worker.wait(PATIENCE_SECONDS) == 0
    # The step that it was in is done, and others are not begun.
    assert {row.state for row in own_customer.sets()} == {"collected", "open"}
    assert [row.lease_token for row in own_customer.sets()] == [None] * 3
    installation.start_worker()
    own_customer.wait_for_state()
    own_customer.assert_whole(sets=3)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sigterm_lets_gunicorn_finish_a_create(
    installation: Installation, own_customer: Customer
) -> None:
    web = installation.start_web()
    own_customer.expect(progress={"kind": "after_seconds", "seconds": 2})
    own_customer.sandbox.trouble("hold", method="POST", account=own_customer.account)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(own_customer.create)
        own_customer.wait_for_call(trouble="hold")

        web.terminate()
        eventually(lambda: "Handling signal: term" in installation.log("web"), what="it ends")
        own_customer.release()

        assert answer.result().status_code == 200
    assert web.wait(PATIENCE_SECONDS) == 0
    installation.start_worker()
    own_customer.wait_for_state()
    own_customer.assert_whole()
    # Nobody was there to be notified.
    own_customer.wait_for_verdict("failed")
