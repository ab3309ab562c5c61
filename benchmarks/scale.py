"""What more workers bring: 1, 2 and 4 of them on one PostgreSQL, with a slow Facebook.

The workers are ``receiver worker`` processes without a broker, Facebook is the sandbox, each call
of which waits 200 ms. Each set is the only one of its account, so that each costs a call of its
own, and all are complete and become due in one moment: what counts is the time from then until the
last one is collected. A worker takes few steps at a time, so that two cores carry four workers:
what the machine was busy with is kept with each figure.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

from sqlalchemy import func, select, update

from benchmarks import cpu
from benchmarks.figure import Figure
from benchmarks.installation import (
    add_accounts,
    intent,
    plain_specs,
    running_fleet,
    settings_of,
    variables,
)
from benchmarks.postgresql import new_database
from benchmarks.sandbox_control import tell
from benchmarks.waiting import repeatedly
from receiver.assembly import Parts, build
from receiver.cli.processes import Fleet
from receiver.lifecycle.submit import submit
from receiver.store import intents
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
        sandbox_url = self.parts.settings.graph_url
        tell(sandbox_url, "latency", {"latency_ms": 0})
        numbers = self._create(sets)
        tell(sandbox_url, "latency", {"latency_ms": _LATENCY_MS})
        with running_fleet(self.folder) as fleet:
            fleet.add_environment(self.environment)
            for number in range(workers):
                fleet.start_worker(f"worker-{number + 1}")
            return self._measure(fleet, numbers)

    def _create(self, sets: int) -> list[int]:
        tools, specs = self.parts.tools, plain_specs(_REQUESTS)
        account_ids = [next(self.account_ids) for _ in range(sets)]
        add_accounts(self.parts, account_ids)
        with ThreadPoolExecutor(_CREATED_AT_ONCE) as pool:
            made = list(pool.map(lambda one: submit(tools, intent(one, specs)), account_ids))
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
        for _ in repeatedly(seconds=_TIMEOUT_SECONDS, pause_seconds=0.2):
            with self.parts.database.reading() as session:
                done, last_at = session.execute(collected).one()
            if done == len(numbers):
                return datetime.fromisoformat(str(last_at))
        raise TimeoutError(f"{done} of {len(numbers)} sets were collected")


@contextmanager
def _hall() -> Iterator[_Hall]:
    with (
        tempfile.TemporaryDirectory() as name,
        new_database("scale") as database_url,
        running_fleet(Path(name)) as fleet,
    ):
        sandbox_url = fleet.start_sandbox()
        environment = {
            **variables(database_url, public_url="http://127.0.0.1:9", graph_url=sandbox_url),
            "RECEIVER_FIRST_LOOK_SECONDS": str(_DAY),
            "RECEIVER_WORKER_THREADS": str(_THREADS),
        }
        # They are complete at once, and nobody is notified: the workers are to find them.
        tell(sandbox_url, "defaults", {"notification": {"kind": "lost"}})
        with closing(build(settings_of(environment))) as parts:
            yield _Hall(
                parts,
                fleet.pids()["sandbox"],
                Path(name),
                environment=environment,
                account_ids=count(71_000_001),
            )
