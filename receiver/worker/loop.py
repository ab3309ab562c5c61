"""The lifecycle's steps in one process, by themselves: SQL is the only memory.

It needs no broker. Where Celery works beside it, it takes the steps that nobody took for a while.

One thread applies hints; others claim the sets that are due and work on them, a few more tell
callers of collected ones, and two act on what people confirmed: at most half of each kind for one
account. Everything is claimed under a lease, so any number of such processes may run on one
database. One thread says that all this is alive, one fills in what older versions did not write,
and one looks after the tables.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar

import structlog

from receiver.lifecycle import bulk, deliver, step
from receiver.lifecycle.recheck import recheck_next
from receiver.lifecycle.tools import Tools
from receiver.store.action_plans import ItemClaim
from receiver.store.claims import Claim
from receiver.store.database import DatabaseAway
from receiver.store.deliveries import DeliveryClaim
from receiver.worker import backfill, heartbeat, upkeep
from receiver.worker.heartbeat import Heartbeat
from receiver.worker.upkeep import Upkeep

log = structlog.get_logger(__name__)

_DATABASE_PAUSE_SECONDS = 1.0
_RECHECK_INTERVAL_SECONDS = 5.0
_ACTION_THREADS = 2
_ACTION_INTERVAL_SECONDS = 1.0
_PAUSE_SECONDS = 0.1


ClaimT = TypeVar("ClaimT", Claim, DeliveryClaim, ItemClaim)


class _Work(Generic[ClaimT]):
    """One kind of work that several threads share: how it is claimed, and done.

    One thread at a time looks for it. The others wait for that one without waking up, so that a
    worker with nothing to do costs next to nothing however many threads it has.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        claim: Callable[..., ClaimT | None],
        do: Callable[[Tools, ClaimT], None],
        threads: int,
        interval_seconds: float,
        stopping: threading.Event,
    ) -> None:
        self._tools = tools
        self._claim: Callable[..., ClaimT | None] = claim
        self._do: Callable[[Tools, ClaimT], None] = do
        self._interval_seconds = interval_seconds
        self._most_of_account = max(1, threads // 2)
        self._stopping = stopping
        self._looking = threading.Lock()
        self._changed = threading.Event()
        self._counting = threading.Lock()
        self._busy: Counter[int] = Counter()

    def step(self) -> bool:
        """Do what has been due for longest, once something is. Returns False once all is to end."""
        claim = self._next()
        if claim is None:
            return False
        try:
            self._do(self._tools, claim)
        finally:
            self._count(claim.account_id, -1)
            self.look_again()
        return True

    def look_again(self) -> None:
        """Let the thread that looks do so at once: what it passed over may be free, or all ends."""
        self._changed.set()

    def _next(self) -> ClaimT | None:
        with self._looking:
            while True:
                # Cleared before that is asked: a stop in between ends the wait below.
                self._changed.clear()
                if self._stopping.is_set():
                    return None
                claim = self._claim(self._tools, passing_over=self._crowded())
                if claim is not None:
                    # Counted before the next thread looks.
                    self._count(claim.account_id, 1)
                    return claim
                self._changed.wait(self._interval_seconds)

    def _count(self, account_id: int, change: int) -> None:
        with self._counting:
            self._busy[account_id] += change

    def _crowded(self) -> frozenset[int]:
        """The accounts that keep half of the threads busy: others would wait for them."""
        with self._counting:
            return frozenset(
                account_id
                for account_id, busy in self._busy.items()
                if busy >= self._most_of_account
            )


@dataclass(frozen=True)
class Duty:
    """Something that a thread of its own does again and again.

    ``do`` returns whether there is more to do at once; if not, it is left for the interval.
    """

    name: str
    do: Callable[[], bool]
    interval_seconds: float


class Loop:
    """The threads of one worker. ``stop`` ends each of them between two steps."""

    def __init__(
        self,
        tools: Tools,
        *,
        threads: int,
        interval_seconds: float,
        due_for: timedelta = timedelta(0),
        duties: Sequence[Duty] = (),
    ) -> None:
        """``interval_seconds`` is how long a thread that found nothing waits at the most.

        Only steps are taken that have been due for at least ``due_for``. The ``duties`` are more to
        do beside them.
        """
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        tools = self._tools = replace(tools, wait=self._wait)
        self._heartbeat = Heartbeat(tools)
        self._upkeep = Upkeep(tools)
        sets = _Work(
            tools,
            claim=partial(step.claim_next, due_for=due_for),
            do=step.work_on,
            threads=threads,
            interval_seconds=interval_seconds,
            stopping=self._stopping,
        )
        delivering = max(2, threads // 2)
        told = _Work(
            tools,
            claim=deliver.claim_next,
            do=deliver.deliver,
            threads=delivering,
            interval_seconds=interval_seconds,
            stopping=self._stopping,
        )
        asked = _Work(
            tools,
            claim=bulk.claim_next,
            do=bulk.act,
            threads=_ACTION_THREADS,
            interval_seconds=_ACTION_INTERVAL_SECONDS,
            stopping=self._stopping,
        )
        self._shared = (sets, told, asked)
        self._threads = [
            self._thread("hints", lambda: step.apply_hints(self._tools)),
            self._thread(
                "rechecks",
                lambda: recheck_next(self._tools),
                interval_seconds=_RECHECK_INTERVAL_SECONDS,
            ),
            self._thread(
                "heartbeat", self._heartbeat.beat, interval_seconds=heartbeat.INTERVAL_SECONDS
            ),
            self._thread(
                "backfill",
                lambda: self._gently(lambda: backfill.backfill(self._tools)),
                interval_seconds=backfill.INTERVAL_SECONDS,
            ),
            self._thread(
                "upkeep",
                lambda: self._gently(self._upkeep.step),
                interval_seconds=upkeep.INTERVAL_SECONDS,
            ),
            *(
                self._thread(duty.name, duty.do, interval_seconds=duty.interval_seconds)
                for duty in duties
            ),
            *(self._thread(f"steps-{number + 1}", sets.step) for number in range(threads)),
            *(self._thread(f"deliveries-{number + 1}", told.step) for number in range(delivering)),
            *(
                self._thread(f"actions-{number + 1}", asked.step)
                for number in range(_ACTION_THREADS)
            ),
        ]

    def _thread(
        self, name: str, do: Callable[[], bool], *, interval_seconds: float | None = None
    ) -> threading.Thread:
        interval_seconds = interval_seconds or self._interval_seconds
        return threading.Thread(target=self._repeat, args=(do, interval_seconds), name=name)

    def run(self) -> None:
        """Work until ``stop`` is called."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        self._heartbeat.end()

    def stop(self) -> None:
        """Let every thread finish the step it is in, and begin no other."""
        self._stopping.set()
        for work in self._shared:
            work.look_again()

    def _wait(self, seconds: float) -> bool:
        """Wait so long; False once the loop is told to end."""
        return not self._stopping.wait(seconds)

    def _gently(self, do: Callable[[], bool]) -> bool:
        found_work = do()
        if found_work:
            # A notification that waits for the lock to write goes first.
            self._stopping.wait(_PAUSE_SECONDS)
        return found_work

    def _repeat(self, do: Callable[[], bool], interval_seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                found_work = do()
            except DatabaseAway as error:
                log.warning("The database is away: trying again", reason=str(error))
                self._stopping.wait(_DATABASE_PAUSE_SECONDS)
            except Exception:  # a worker that ends takes every set with it
                log.exception("A step failed")
                self._stopping.wait(_DATABASE_PAUSE_SECONDS)
            else:
                if not found_work:
                    self._stopping.wait(interval_seconds)
