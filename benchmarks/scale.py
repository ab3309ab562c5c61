"""What more workers bring: 1, 2 and 4 of them on one PostgreSQL, with a slow Facebook.

The workers are ``receiver worker`` processes without a broker, Facebook is the sandbox, each call
of which waits 200 ms. Each set is the only one of its account, so that each costs a call of its
own, and all are complete and become due in one moment: what counts is the time from then until the
last one is collected. A worker takes few steps at a time, so that two cores carry four workers:
what the machine was busy with is kept with each figure.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

import requests
from sqlalchemy import func, select, update

from benchmarks import cpu
from benchmarks.figure import Figure
from benchmarks.ingest_contenders import plain_url
from benchmarks.postgresql import new_database
from receiver.assembly import Parts, build
from receiver.cli.processes import Fleet, plain_environment
from receiver.lifecycle.submit import submit
from receiver.settings import Settings
from receiver.store import accounts, intents
from receiver.store.intents import NewIntent
from receiver.store.models import RequestSet

_WORKERS = (1, 2, 4)
_TARGETS = {2: 1.8, 4: 3.2}
_THREADS = 2
_LATENCY_MS = 200
_REQUESTS = 10
_CREATED_AT_ONCE = 4
_TIMEOUT_SECONDS = 120
_DAY = 86_400


@dataclass(frozen=True)
class _Run:
    """One run: how many sets a second, and which share of a core each process took meanwhile."""

    sets_a_second: float
    workers: list[float]
    sandbox: float
    machine: float

    def __str__(self) -> str:
        workers = ", ".join(f"{share:.0%}" for share in self.workers)
        return (
            f"{self.sets_a_second:.1f} sets/s; of a core: workers {workers}, sandbox "
            f"{self.sandbox:.0%}; the whole machine {self.machine:.0%} busy"
        )


def figures(
    *, rounds: int, say: Callable[[str], None], sets_a_worker: int = 100
) -> Iterator[Figure]:
    """Measure throughput with one worker and with more. Raises NoPostgreSQL."""
    runs: dict[int, list[_Run]] = defaultdict(list)
    with _hall() as hall:
        for number in range(rounds):
            # Turned round by round, so that no number of workers always comes first.
            turn = number % len(_WORKERS)
            for workers in (*_WORKERS[turn:], *_WORKERS[:turn]):
                run = hall.run(workers, sets=workers * sets_a_worker)
                runs[workers].append(run)
                say(f"round {number + 1}: {workers} workers: {run}")
    one = [run.sets_a_second for run in runs[1]]
    yield Figure.of("one worker", one, unit="sets/s").with_detail(_detail(runs[1]))
    for workers, target in _TARGETS.items():
        more = [run.sets_a_second for run in runs[workers]]
        ratios = [each / alone for each, alone in zip(more, one, strict=True)]
        figure = Figure.of(f"{workers} workers", ratios, unit="x", peer="one worker")
        yield figure.at_least(target).with_detail(_detail(runs[workers]))


def _detail(runs: list[_Run]) -> str:
    middle = median(run.sets_a_second for run in runs)
    nearest = min(runs, key=lambda run: abs(run.sets_a_second - middle))
    return f"{_THREADS} steps at a time, {_LATENCY_MS} ms a call: {nearest}"


@dataclass(frozen=True)
class _Hall:
    """Where the runs take place: a database and a sandbox, which go on from run to run."""

    parts: Parts
    sandbox_pid: int
    folder: Path
    environment: dict[str, str]
    account_ids: Iterator[int]

    def run(self, workers: int, *, sets: int) -> _Run:
        """Let so many workers collect so many sets."""
        self._control("latency", {"latency_ms": 0})
        numbers = self._create(sets)
        self._control("latency", {"latency_ms": _LATENCY_MS})
        fleet = Fleet(self.folder, environment=self.environment)
        try:
            for number in range(workers):
                fleet.start_worker(f"worker-{number + 1}")
            return self._measure(fleet, numbers)
        finally:
            fleet.stop()

    def _control(self, path: str, body: object) -> None:
        url = f"{self.parts.settings.graph_url}/sandbox/{path}"
        requests.post(url, json=body, timeout=_TIMEOUT_SECONDS).raise_for_status()

    def _create(self, sets: int) -> list[int]:
        tools = self.parts.tools
        account_ids = [next(self.account_ids) for _ in range(sets)]
        with self.parts.database.writing() as session:
            accounts.put_accounts(
                session,
                account_ids,
                sealed_token=self.parts.keys.seal("any-token"),
                sealed_app_secret=None,
                now=self.parts.now(),
            )
        with ThreadPoolExecutor(_CREATED_AT_ONCE) as pool:
            made = list(pool.map(lambda one: submit(tools, _intent(one)), account_ids))
        return [one.request_set_id for one in made]

    def _measure(self, fleet: Fleet, numbers: list[int]) -> _Run:
        pids = list(fleet.pids().values())
        before = [cpu.seconds_of(pid) for pid in (*pids, self.sandbox_pid)]
        machine, began = cpu.of_machine(), datetime.now(UTC)
        with self.parts.database.writing() as session:
            due = update(RequestSet).where(RequestSet.id.in_(numbers)).values(look_at=began)
            session.execute(due)
        seconds = (self._last_collected_at(numbers) - began).total_seconds()
        after = [cpu.seconds_of(pid) for pid in (*pids, self.sandbox_pid)]
        shares = [(late - early) / seconds for late, early in zip(after, before, strict=True)]
        return _Run(
            len(numbers) / seconds,
            workers=shares[:-1],
            sandbox=shares[-1],
            machine=cpu.of_machine().busy_share_since(machine),
        )

    def _last_collected_at(self, numbers: list[int]) -> datetime:
        """Wait until all are collected, and return when the last one was."""
        collected = select(func.count(), func.max(RequestSet.collected_at)).where(
            RequestSet.id.in_(numbers), RequestSet.state == intents.COLLECTED
        )
        ends = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < ends:
            with self.parts.database.reading() as session:
                done, last_at = session.execute(collected).one()
            if done == len(numbers):
                return datetime.fromisoformat(str(last_at))
            time.sleep(0.2)
        raise TimeoutError(f"{done} of {len(numbers)} sets were collected")


def _intent(account_id: int) -> NewIntent:
    specs = [{"name": f"ad {number}", "adset_id": "5"} for number in range(_REQUESTS)]
    return NewIntent(
        account_id=account_id,
        api_key_id=None,
        name="measured",
        ad_specs=json.dumps(specs).encode(),
        spec_count=_REQUESTS,
        notification_uri=None,
        notification_mode="OFF",
    )


@contextmanager
def _hall() -> Iterator[_Hall]:
    with tempfile.TemporaryDirectory() as name, new_database("scale") as database_url:
        folder = Path(name)
        sandbox = Fleet(folder, environment=plain_environment())
        try:
            settings = Settings(
                database_url=database_url,  # type: ignore[arg-type]  # pydantic reads it
                public_url="http://127.0.0.1:9",
                secret_keys=secrets.token_hex(32),  # type: ignore[arg-type]  # pydantic reads it
                graph_url=sandbox.start_sandbox(),
                first_look_seconds=_DAY,
                worker_threads=_THREADS,
            )
            parts = build(settings)
            try:
                hall = _Hall(
                    parts,
                    sandbox.pids()["sandbox"],
                    folder,
                    environment=_environment(settings),
                    account_ids=count(71_000_001),
                )
                # They are complete at once, and nobody is notified: the workers are to find them.
                hall._control("defaults", {"notification": {"kind": "lost"}})  # noqa: SLF001  # it is made here
                yield hall
            finally:
                parts.close()
        finally:
            sandbox.stop()


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a worker with the same settings."""
    database_url = settings.database_url.get_secret_value()
    (secret_key,) = settings.secret_keys
    return {
        **plain_environment(),
        "RECEIVER_DATABASE_URL": plain_url(database_url),
        "RECEIVER_PUBLIC_URL": settings.public_url,
        "RECEIVER_SECRET_KEYS": secret_key.get_secret_value(),
        "RECEIVER_GRAPH_URL": settings.graph_url,
        "RECEIVER_FIRST_LOOK_SECONDS": str(settings.first_look_seconds),
        "RECEIVER_WORKER_THREADS": str(settings.worker_threads),
    }
