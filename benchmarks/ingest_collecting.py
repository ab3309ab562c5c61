"""How fast notifications are answered at 200 a second while a worker collects all the time.

Sandbox, gunicorn and ``receiver worker`` run as processes. Twenty sets of fifty requests complete
each second, are notified of and collected; the measured notifications come on top of theirs.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.databases import new_database
from benchmarks.figure import Figure
from benchmarks.ingest_contenders import Contender, ours
from benchmarks.ingest_rounds import Generator, Round, Say, generating
from benchmarks.installation import (
    add_accounts,
    intent,
    plain_specs,
    running_fleet,
    settings_of,
    variables,
)
from benchmarks.sandbox_control import tell
from benchmarks.web_server import WebServer
from receiver.assembly import Parts, build
from receiver.lifecycle.submit import submit
from receiver.store import intents
from receiver.store.models import RequestSet

_PER_SECOND = 200
_TARGET_P99_MS = 50
_SETS_PER_SECOND = 20
_REQUESTS = 50
_ACCOUNTS = tuple(range(71_000_001, 71_000_005))
_WARM_UP_SECONDS = 1.0
_CREATED_AT_ONCE = 4


def figure(backend: str, *, rounds: int, seconds: float, say: Say) -> Figure:
    """Measure the 99th percentile, from the moment at which each notification was to be sent."""
    found: list[Round] = []
    collected: list[int] = []
    with _installation(backend) as installation, generating() as generator:
        # A round takes a little longer than its load.
        total_seconds = _WARM_UP_SECONDS + rounds * seconds + (rounds + 1) * 2
        set_ids = installation.create(int(total_seconds * _SETS_PER_SECOND))
        installation.round(generator, seconds=_WARM_UP_SECONDS)
        with installation.completing(set_ids):
            installation.round(generator, seconds=_WARM_UP_SECONDS)
            for _ in range(rounds):
                before = installation.collected()
                found.append(installation.round(generator, seconds=seconds))
                collected.append(installation.collected() - before)
                say(f"{backend}, while {collected[-1]} sets were collected: {found[-1]}")
    if 0 in collected:
        raise ValueError(f"The worker collected nothing in a round: {collected}")
    name = f"{backend}: p99 at {_PER_SECOND} a second while the worker collects"
    detail = f"sets collected in each round of {seconds:g} s: {collected}"
    p99 = [one.p99_ms for one in found]
    return Figure.of(name, p99, unit="ms").at_most(_TARGET_P99_MS).with_detail(detail)


@dataclass(frozen=True)
class _Installation:
    parts: Parts
    contender: Contender
    server: WebServer

    def round(self, generator: Generator, *, seconds: float) -> Round:
        return generator.round(self.contender, self.server, seconds=seconds, per_second=_PER_SECOND)

    def create(self, count: int) -> list[str]:
        """Create so many sets, which complete when told so, and return their ids at Facebook."""
        tools, specs = self.parts.tools, plain_specs(_REQUESTS)
        account_ids = [_ACCOUNTS[number % len(_ACCOUNTS)] for number in range(count)]
        with ThreadPoolExecutor(_CREATED_AT_ONCE) as pool:
            list(pool.map(lambda one: submit(tools, intent(one, specs)), account_ids))
        with self.parts.database.reading() as session:
            return [str(one) for one in session.scalars(select(RequestSet.facebook_id))]

    @contextmanager
    def completing(self, set_ids: Sequence[str]) -> Iterator[None]:
        """Let sets complete at a steady pace from now on, until the block ends."""
        ends, sandbox_url = threading.Event(), self.parts.settings.graph_url

        def complete() -> None:
            began = time.monotonic()
            for number, set_id in enumerate(set_ids):
                if ends.wait(max(0.0, began + number / _SETS_PER_SECOND - time.monotonic())):
                    return
                tell(sandbox_url, f"sets/{set_id}/complete", {})

        thread = threading.Thread(target=complete)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()

    def collected(self) -> int:
        count = select(func.count()).where(RequestSet.state == intents.COLLECTED)
        with self.parts.database.reading() as session:
            return session.scalars(count).one()


@contextmanager
def _installation(backend: str) -> Iterator[_Installation]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database_url = stack.enter_context(new_database(backend, folder, label="ingest"))
        contender = ours(folder, database_url=database_url)
        server = stack.enter_context(closing(contender.start()))
        fleet = stack.enter_context(running_fleet(folder))
        sandbox_url = fleet.start_sandbox()
        environment = variables(
            database_url, public_url=f"http://127.0.0.1:{server.port}", graph_url=sandbox_url
        )
        fleet.add_environment(environment)
        parts = stack.enter_context(closing(build(settings_of(environment))))
        add_accounts(parts, _ACCOUNTS)
        fleet.start_worker("worker")
        tell(sandbox_url, "defaults", {"progress": {"kind": "by_hand"}})
        yield _Installation(parts, contender, server)
