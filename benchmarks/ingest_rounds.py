"""Rounds of load: how fast a contender answers, and whether it holds what it accepted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import quantiles

from benchmarks.ingest_contenders import FIRST_NUMBER, Contender
from benchmarks.notifications_load import Answers, Load, send
from benchmarks.web_server import WebServer

Say = Callable[[str], None]
Beside = Callable[[int], AbstractContextManager[None]]

_TRIES = 6
_WARM_UP_SECONDS = 1.0
_IDLE_SHARE = 0.2
_NUMBERS_A_ROUND = 1_000_000


class NotKept(Exception):
    """A message that was answered 2xx is not in the database."""


@dataclass(frozen=True)
class Round:
    """What one stretch of load showed. Shares are of one core."""

    per_second: float
    p50_ms: float
    p99_ms: float
    accepted: int
    refused: int
    broken: int
    unanswered: int
    stored: int | None
    generator_cpu_share: float
    worker_cpu_shares: tuple[float, ...]

    @property
    def has_idle_worker(self) -> bool:
        """Tell whether the kernel gave one worker hardly any of the connections.

        One that left connections without an answer had some, and could not serve them.
        """
        fewest, most = min(self.worker_cpu_shares), max(self.worker_cpu_shares)
        return not self.unanswered and fewest < _IDLE_SHARE * most

    def __str__(self) -> str:
        workers = " ".join(f"{share:.2f}" for share in self.worker_cpu_shares)
        failed = self.refused + self.broken + self.unanswered
        return (
            f"{self.per_second:7.0f}/s  p50 {self.p50_ms:6.1f} ms  p99 {self.p99_ms:7.1f} ms  "
            f"2xx {self.accepted:6} rows {self.stored or 0:6} failed {failed:3}  "
            f"CPU: generator {self.generator_cpu_share:.2f}, workers {workers}"
        )


class Generator:
    """The process that sends, one round after the other, never a number twice."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._firsts = itertools.count(FIRST_NUMBER, _NUMBERS_A_ROUND)

    def round(
        self,
        contender: Contender,
        server: WebServer,
        *,
        seconds: float,
        per_second: float | None = None,
    ) -> Round:
        """Load a contender's server, and look whether all that it accepted is stored.

        Raises NotKept.
        """
        load = Load(server.port, next(self._firsts), seconds=seconds, per_second=per_second)
        before = server.worker_cpu_seconds()
        answers = self._pool.submit(send, load, contender.messages).result()
        after = server.worker_cpu_seconds()
        if before.keys() != after.keys():
            raise ValueError("A web worker ended during a round")
        shares = [(after[worker] - before[worker]) / seconds for worker in before]
        return _round(load, answers, shares=shares, stored=_stored(contender, answers))


@contextmanager
def generating() -> Iterator[Generator]:
    """The generator's process, for the time of the block."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield Generator(pool)


def nothing(_port: int) -> AbstractContextManager[None]:
    """Let nothing go on beside a round's load."""
    return nullcontext()


def balanced_round(
    generator: Generator,
    contender: Contender,
    *,
    seconds: float,
    say: Say,
    beside: Beside = nothing,
) -> Round:
    """Start a contender, warm it up and load it, until no worker was idle.

    ``beside`` is what goes on at the server's port during the load. Raises ValueError where a
    worker always is idle.
    """
    for _ in range(_TRIES):
        with closing(contender.start()) as server:
            generator.round(contender, server, seconds=_WARM_UP_SECONDS)
            with beside(server.port):
                found = generator.round(contender, server, seconds=seconds)
        if not found.has_idle_worker:
            return found
        say(f"discarded, a worker was idle: {found}")
    raise ValueError(f"A worker was idle in each of {_TRIES} rounds")


def _round(load: Load, answers: Answers, *, shares: list[float], stored: int | None) -> Round:
    cuts = quantiles(answers.seconds, n=100)
    return Round(
        per_second=answers.in_time / load.seconds,
        p50_ms=cuts[49] * 1000,
        p99_ms=cuts[98] * 1000,
        accepted=len(answers.accepted),
        refused=answers.refused,
        broken=answers.broken,
        unanswered=answers.unanswered,
        stored=stored,
        generator_cpu_share=answers.cpu_share,
        worker_cpu_shares=tuple(shares),
    )


def _stored(contender: Contender, answers: Answers) -> int | None:
    if contender.table is None:
        return None
    numbers = contender.table.new_numbers()
    missing = set(answers.accepted) - set(numbers)
    if missing:
        raise NotKept(f"{len(missing)} of {len(answers.accepted)} accepted: {sorted(missing)[:5]}")
    return len(numbers)
