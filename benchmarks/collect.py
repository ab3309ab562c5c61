"""What it costs to bring the requests of complete sets into SQL, beside the official SDK.

Facebook is the sandbox, which waits before each call. The receiver is its real worker, as a process
of its own, and no notification comes: it finds out by itself that the sets are complete. What is
measured, and how the peer does the same, stands in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select, update

from benchmarks.collect_peer import Peer
from benchmarks.cpu import seconds_of
from benchmarks.databases import BACKENDS, new_database, plain_url
from benchmarks.figure import Figure
from benchmarks.installation import (
    add_accounts,
    intent,
    running_fleet,
    settings_of,
    variables,
)
from benchmarks.postgresql import NoPostgreSQL
from benchmarks.sandbox_control import spent, tell
from benchmarks.waiting import repeatedly
from receiver.assembly import Parts, build
from receiver.cli.processes import Fleet
from receiver.lifecycle.submit import submit
from receiver.store import intents
from receiver.store.models import Request, RequestSet

_LATENCY_MILLISECONDS = 150
_TIMEOUT_SECONDS = 60
_LOOKED_EVERY_SECONDS = 0.02
_IDLE_SECONDS = 1.0
_FIRST_ACCOUNT = 71_597_454
_SDK = "official SDK"


@dataclass(frozen=True)
class Scene:
    """So many sets of so many requests each, complete in one account."""

    sets: int
    requests: int

    @property
    def rows(self) -> int:
        return self.sets * self.requests

    def __str__(self) -> str:
        return f"{self.sets} sets of {self.requests:,}"


SCENES = (Scene(50, 100), Scene(20, 1000))


@dataclass(frozen=True)
class Cost:
    """What one round took of one side."""

    cpu_seconds: float
    calls: int
    seconds: float


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds of each side and scene.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def main(*, rounds: int, as_json: bool) -> None:
    """Collect complete sets with the worker and with the official SDK in turn."""
    try:
        measured = list(figures(rounds=rounds, say=lambda line: click.echo(line, err=True)))
    except NoPostgreSQL as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps([one.document() for one in measured], indent=2))
        return
    for one in measured:
        goal = (
            "" if one.target is None else f"  ({one.target}: {'met' if one.is_met else 'MISSED'})"
        )
        click.echo(
            f"{one.name:62} {one.value:9.3f} {one.unit:5} "
            f"[{one.lowest:.3f} to {one.highest:.3f}]{goal}"
        )


def figures(*, rounds: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure each scene on each database; ``say`` is told how it goes on. Raises NoPostgreSQL."""
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory(prefix="receiver-bench-") as folder:
            for scene in SCENES:
                with _stage(Path(folder), backend) as stage:
                    yield from _measure(stage, scene, backend=backend, rounds=rounds, say=say)


def _measure(
    stage: _Stage, scene: Scene, *, backend: str, rounds: int, say: Callable[[str], None]
) -> Iterator[Figure]:
    ours: list[Cost] = []
    peers: list[Cost] = []
    for number in range(-1, rounds):  # the first round of each only warms up
        set_ids = stage.make_sets(scene)
        sides = {
            "receiver": partial(stage.collect, scene),
            _SDK: partial(stage.read_by_peer, scene, set_ids),
        }
        # They take turns in going first.
        costs = {who: sides[who]() for who in sorted(sides, reverse=number % 2 == 0)}
        say(f"{scene}, {backend}, round {number + 1}: {costs}")
        if number >= 0:
            ours.append(costs["receiver"])
            peers.append(costs[_SDK])
    yield from _figures_of(scene, ours, peers, backend=backend)


def _figures_of(
    scene: Scene, ours: Sequence[Cost], peers: Sequence[Cost], *, backend: str
) -> Iterator[Figure]:
    def ratio(name: str, of: Callable[[Cost], float]) -> Figure:
        pairs = [of(one) / of(other) for one, other in zip(ours, peers, strict=True)]
        return Figure.of(f"{name}, {scene}, {backend}", pairs, unit="x", peer=_SDK)

    def absolute(
        name: str, costs: Sequence[Cost], of: Callable[[Cost], float], unit: str
    ) -> Figure:
        values = [of(one) for one in costs]
        return Figure.of(f"{name}, {scene}, {backend}", values, unit=unit)

    yield ratio("CPU-seconds", lambda cost: cost.cpu_seconds).at_most(1 / 5)
    yield ratio("HTTP calls", lambda cost: cost.calls).at_most(1 / 10)
    yield ratio("wall time", lambda cost: cost.seconds).at_most(1 / 10)
    for who, costs in (("receiver", ours), (_SDK, peers)):
        yield absolute(
            f"CPU of the {who} a thousand rows",
            costs,
            lambda cost: 1_000_000 * cost.cpu_seconds / scene.rows,
            "ms",
        )
        yield absolute(f"HTTP calls of the {who}", costs, lambda cost: cost.calls, "calls")
        yield absolute(f"wall time of the {who}", costs, lambda cost: cost.seconds, "s")


class _Stage:
    """A sandbox and a worker as processes, and a peer in another one, on one database."""

    def __init__(self, fleet: Fleet, parts: Parts, *, sandbox_url: str, peer: Peer) -> None:
        self._parts = parts
        self._sandbox_url = sandbox_url
        self._worker = fleet.start_worker("worker")
        self._peer = peer
        self._accounts = count(_FIRST_ACCOUNT)
        self._account_id = 0

    def make_sets(self, scene: Scene) -> list[int]:
        """Create sets in a new account, complete at Facebook at once; return Facebook's ids."""
        self._account_id = next(self._accounts)
        tell(self._sandbox_url, "latency", {"latency_ms": 0})
        behaviour = {"progress": {"kind": "at_once"}, "notification": {"kind": "never"}}
        tell(self._sandbox_url, f"accounts/{self._account_id}", behaviour)
        add_accounts(self._parts, [self._account_id])
        for number in range(scene.sets):
            specs = [_spec(number, each) for each in range(scene.requests)]
            submit(self._parts.tools, intent(self._account_id, specs, name=f"Spring {number}"))
        tell(self._sandbox_url, "latency", {"latency_ms": _LATENCY_MILLISECONDS})
        with self._parts.database.reading() as session:
            of_account = RequestSet.account_id == self._account_id
            found = session.scalars(select(RequestSet.facebook_id).where(of_account))
            return [one for one in found if one is not None]

    def collect(self, scene: Scene) -> Cost:
        """Make the account's sets due, and wait until the worker has collected them."""
        time.sleep(_IDLE_SECONDS)
        before, cpu_seconds = spent(self._sandbox_url), seconds_of(self._worker.pid)
        began = time.monotonic()
        with self._parts.database.writing() as session:
            session.execute(
                update(RequestSet)
                .where(RequestSet.account_id == self._account_id)
                .values(look_at=self._parts.now())
            )
        self._wait_until_collected(scene)
        seconds = time.monotonic() - began
        cpu_seconds = seconds_of(self._worker.pid) - cpu_seconds
        calls = spent(self._sandbox_url).since(before).http_calls
        self._check_rows(scene)
        return Cost(cpu_seconds, calls, seconds)

    def read_by_peer(self, scene: Scene, set_ids: Sequence[int]) -> Cost:
        before = spent(self._sandbox_url)
        read = self._peer.read(set_ids)
        if read.rows != scene.rows:
            raise ValueError(f"The SDK stored {read.rows} of {scene.rows} rows.")
        calls = spent(self._sandbox_url).since(before).http_calls
        return Cost(read.cpu_seconds, calls, read.seconds)

    def _wait_until_collected(self, scene: Scene) -> None:
        for _ in repeatedly(seconds=_TIMEOUT_SECONDS, pause_seconds=_LOOKED_EVERY_SECONDS):
            if self._is_collected(scene):
                return
        raise TimeoutError("The worker does not collect the sets.")

    def _is_collected(self, scene: Scene) -> bool:
        collected = select(func.count()).where(
            RequestSet.account_id == self._account_id, RequestSet.state == intents.COLLECTED
        )
        with self._parts.database.reading() as session:
            return session.execute(collected).scalar_one() == scene.sets

    def _check_rows(self, scene: Scene) -> None:
        stored = select(func.count()).where(
            Request.account_id == self._account_id, Request.is_final, Request.result.is_not(None)
        )
        with self._parts.database.reading() as session:
            if session.execute(stored).scalar_one() != scene.rows:
                raise ValueError("The worker did not store every row.")


def _spec(number: int, each: int) -> dict[str, Any]:
    """An ad as a campaign's spreadsheet has it; one of ten fails at Facebook."""
    name = "fine" if each % 10 else "will fail"
    season = "Spring" if each % 4 else "Frühling"
    return {
        "name": f"{name}: {season} 2026, shoes, women, 25-34, variant {number}.{each}",
        "adset_id": str(23_842_000_000_000_000 + number),
        "creative": {"creative_id": str(23_843_000_000_000_000 + each)},
        "status": "PAUSED",
        "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": ["1184216"]}],
    }


@contextmanager
def _stage(folder: Path, backend: str) -> Iterator[_Stage]:
    with (
        new_database(backend, folder, label="collect") as url,
        Peer(plain_url(url)) as peer,
        running_fleet(folder) as fleet,
    ):
        sandbox_url = fleet.start_sandbox()
        environment = {
            **variables(url, public_url="http://receiver.test", graph_url=sandbox_url),
            # They are made due by hand, once all of them are complete.
            "RECEIVER_FIRST_LOOK_SECONDS": "3600",
            # No look for a verdict on their notifications falls into a later round.
            "RECEIVER_NOTIFICATION_GRACE_SECONDS": "3600",
        }
        fleet.add_environment(environment)
        peer.open(sandbox_url)
        with closing(build(settings_of(environment))) as parts:
            yield _Stage(fleet, parts, sandbox_url=sandbox_url, peer=peer)


if __name__ == "__main__":
    main()
