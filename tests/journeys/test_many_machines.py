"""Many machines: web processes and Celery workers around one PostgreSQL and one broker."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from receiver.broker.connection import TASK, Broker, make_app
from receiver.store import intents
from receiver.store.models import Look, WorkerHeartbeat
from receiver.worker.sweep import PATIENCE
from tests.support.brokers import BROKERS, PASSWORD, OwnBroker, own_broker
from tests.support.processes import (
    PATIENCE_SECONDS,
    SHORT_LEASE,
    Customer,
    Installation,
    call,
    eventually,
)

pytestmark = [pytest.mark.drill, pytest.mark.timeout(180)]

ACCOUNTS = 4
WORKERS = 4
ADS = 30
SETS_AT_A_TIME = 4
CELERY_WAKES_SECONDS = 5
"""How often Celery looks after its processes, where nothing else wakes it."""
GARBAGE: tuple[Any, ...] = (None, "81000001", -1, 2**70, [], {"account_id": 81000001}, 99)

_accounts = itertools.count(81_000_001)


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnBroker]:
    with own_broker(request.param, tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def machines(installation: Installation, broker: OwnBroker) -> Installation:
    """Two web processes, whose workers are still to be started."""
    installation.set(broker_url=broker.url, worker_threads=2, log_level="info", **SHORT_LEASE)
    installation.start_web("--workers", "2")
    return installation


def add_customers(machines: Installation, count: int) -> list[Customer]:
    """Add customers whose accounts no other journey has."""
    return [machines.add_customer(str(next(_accounts))) for _ in range(count)]


def start_workers(machines: Installation, count: int) -> list[subprocess.Popen[bytes]]:
    """Start workers, all at once, and wait until each takes messages."""
    with ThreadPoolExecutor(count) as threads:
        workers = list(threads.map(lambda _: machines.start_worker(), range(count)))
    for number in range(1, count + 1):
        eventually(
            lambda: "The Celery worker runs" in machines.log(f"worker-{number}"),  # noqa: B023  # called at once
            what=f"Celery of worker {number} runs",
            seconds=60,
        )
    return workers


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and all of its processes, as a machine that loses its power."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(PATIENCE_SECONDS)


def create(customers: list[Customer]) -> None:
    """Let every customer create some sets; of every second one the notification is lost."""
    for customer in customers:
        for number in range(SETS_AT_A_TIME):
            lost = {"kind": "lost" if number % 2 else "deliver"}
            customer.expect(progress={"kind": "after_seconds", "seconds": 1}, notification=lost)
            customer.create_open(ads=ADS)


def send_by_hand(url: str, *arguments: Any) -> None:
    """Send messages as anybody can who reaches the broker."""
    app = make_app(url)
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        for argument in arguments:
            app.send_task(TASK, args=[argument], producer=producer, retry=False)


def broker_health(machines: Installation) -> tuple[int, str, str]:
    """What readiness says: its HTTP status, its word, and that on the broker."""
    answer = call("GET", f"{machines.url}/health/ready")
    found = answer.json()
    return answer.status_code, found["status"], found["checks"]["broker"]["status"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_broker_and_a_worker_that_die_in_the_middle_lose_and_double_nothing(
    machines: Installation, broker: OwnBroker
) -> None:
    customers = add_customers(machines, ACCOUNTS)
    workers = start_workers(machines, WORKERS)
    create(customers)

    broker.kill()
    kill(workers.pop())
    create(customers)
    eventually(
        lambda: broker_health(machines) == (200, "degraded", "failed"), what="health says so"
    )
    broker.start()
    machines.start_worker()
    create(customers)
    send_by_hand(broker.url, *(int(one.account) for one in customers for _ in range(25)), *GARBAGE)

    for customer in customers:
        customer.wait_until_settled()
        customer.assert_whole(sets=3 * SETS_AT_A_TIME)
    eventually(lambda: broker_health(machines) == (200, "ok", "ok"), what="health says so")
    assert [worker.poll() for worker in workers] == [None] * (WORKERS - 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_celery_collects_each_set_once_however_often_it_is_told_to(
    machines: Installation, broker: OwnBroker
) -> None:
    customers = add_customers(machines, 2)
    workers = start_workers(machines, 2)
    for customer in customers:
        customer.expect(progress={"kind": "by_hand"})
    ids = [(one, one.create_open(ads=ADS)) for one in customers for _ in range(SETS_AT_A_TIME)]
    for customer, set_id in ids:
        customer.sandbox.complete(set_id)
        send_by_hand(broker.url, *[int(customer.account)] * 20)

    for customer in customers:
        customer.wait_until_settled()
        customer.assert_whole(sets=SETS_AT_A_TIME)
        seen = Counter(look.request_set_id for look in customer.rows(Look) if look.is_completed)
        assert set(seen.values()) == {1}
        assert len(seen) == SETS_AT_A_TIME
        # The loops beside Celery leave everything alone for longer than that.
        assert min(seconds_from_hint(customer)) < PATIENCE.total_seconds()
    with closing(Broker(broker.url)) as line:
        eventually(lambda: line.count_waiting() == 0, what="every message is taken")
    end_in_order(machines, workers)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_an_account_whose_calls_hang_leaves_a_process_to_the_others_and_ends_with_the_worker(
    machines: Installation,
) -> None:
    slow, quick = add_customers(machines, 2)
    machines.set(graph_deadline_seconds=60, lease_seconds=120, log_level="debug")
    (worker,) = start_workers(machines, 1)
    for customer in (slow, quick):
        customer.expect(progress={"kind": "by_hand"})
    held = [slow.create_open(ads=ADS) for _ in range(SETS_AT_A_TIME)]
    slow.sandbox.trouble("hold", account=slow.account, effect="before", count=100)
    for set_id in held:
        slow.sandbox.complete(set_id)
    slow.wait_for_call(trouble="hold")

    for set_id in [quick.create_open(ads=ADS) for _ in range(SETS_AT_A_TIME)]:
        quick.sandbox.complete(set_id)
    quick.wait_until_settled()
    quick.assert_whole(sets=SETS_AT_A_TIME)
    assert min(seconds_from_hint(quick)) < PATIENCE.total_seconds()

    worker.terminate()
    eventually(lambda: heartbeats(machines) == 0, what="all but the step has ended")
    assert worker.poll() is None
    worker.terminate()
    # The call may be held for longer: nobody waits for it any more.
    assert worker.wait(10) == 0
    eventually(lambda: is_gone(worker.pid), what="every process ended")
    assert PASSWORD not in machines.log("worker-1") + machines.log("web")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_stop_that_reaches_every_process_at_once_lets_each_finish_its_step(
    machines: Installation,
) -> None:
    (customer,) = add_customers(machines, 1)
    machines.set(graph_deadline_seconds=60, lease_seconds=120)
    (worker,) = start_workers(machines, 1)
    customer.expect(progress={"kind": "by_hand"})
    set_id = customer.create_open(ads=ADS)
    customer.sandbox.trouble("hold", account=customer.account, effect="before", count=1)
    customer.sandbox.complete(set_id)
    customer.wait_for_call(trouble="hold")

    os.killpg(worker.pid, signal.SIGTERM)
    eventually(lambda: heartbeats(machines) == 0, what="all but the step has ended")
    customer.release()
    assert worker.wait(PATIENCE_SECONDS) == 0
    assert [row.state for row in customer.sets()] == [intents.COLLECTED]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_a_busy_machine_begins_after_the_stop_is_not_waited_for(
    machines: Installation, broker: OwnBroker
) -> None:
    (worker,) = start_workers(machines, 1)
    _, processes = celery_processes(machines)
    send_signal(signal.SIGSTOP, processes)
    send_by_hand(broker.url, *GARBAGE)
    with closing(Broker(broker.url)) as line:
        eventually(lambda: line.count_waiting() < len(GARBAGE), what="messages are handed out")
    worker.terminate()
    # Meanwhile Celery forgets what it has handed out, and no process has said to have begun.
    time.sleep(CELERY_WAKES_SECONDS + 1)
    send_signal(signal.SIGCONT, processes)
    # Its own patience would be half a minute.
    assert worker.wait(PATIENCE_SECONDS / 2) == 0
    eventually(lambda: is_gone(worker.pid), what="every process ended")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_a_worker_with_nothing_to_do_notices_at_once_that_it_is_to_end(
    machines: Installation,
) -> None:
    (worker,) = start_workers(machines, 1)
    _, processes = celery_processes(machines)
    # It has just been awake, and would sleep on; each of its processes takes a second to end.
    time.sleep(CELERY_WAKES_SECONDS + 0.3)
    worker.terminate()
    eventually(
        lambda: not any(Path(f"/proc/{process}").exists() for process in processes),
        what="the processes ended",
        seconds=CELERY_WAKES_SECONDS,
    )
    assert worker.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_process_that_is_killed_is_told_of_in_our_own_format(machines: Installation) -> None:
    start_workers(machines, 1)
    _, (first, *_) = celery_processes(machines)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: f"pid:{first} exited" in machines.log("worker-1"), what="it is told of")
    lines = machines.log("worker-1").splitlines()
    assert all(line.startswith("timestamp=") for line in lines), lines


def celery_processes(machines: Installation) -> tuple[int, list[int]]:
    """Celery's process of the first worker, and those that take the steps."""
    (celery,) = re.findall(r"receiver-(\d+)@", machines.log("worker-1"))
    children = Path(f"/proc/{celery}/task/{celery}/children").read_text().split()
    return int(celery), [int(child) for child in children]


def send_signal(number: signal.Signals, processes: list[int]) -> None:
    for process in processes:
        os.kill(process, number)


def heartbeats(machines: Installation) -> int:
    with machines.parts.database.reading() as session:
        return len(session.scalars(select(WorkerHeartbeat)).all())


def seconds_from_hint(customer: Customer) -> list[float]:
    """How long after its notification was applied each set was collected."""
    return [
        (row.collected_at - row.hinted_at).total_seconds()
        for row in customer.sets()
        if row.collected_at is not None and row.hinted_at is not None
    ]


def end_in_order(machines: Installation, workers: list[subprocess.Popen[bytes]]) -> None:
    """End workers by SIGTERM: they do so cleanly, and nothing is left of them."""
    for worker in workers:
        worker.terminate()
    assert [worker.wait(PATIENCE_SECONDS) for worker in workers] == [0] * len(workers)
    for number, worker in enumerate(workers, start=1):
        eventually(lambda: is_gone(worker.pid), what="every process ended")  # noqa: B023  # called at once
        lines = machines.log(f"worker-{number}").splitlines()
        assert all(line.startswith("timestamp=") for line in lines), lines
        assert not any("level=error" in line for line in lines)
        assert "The worker ended" in lines[-1]


def is_gone(group: int) -> bool:
    """Tell whether nothing is left of a group of processes."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
