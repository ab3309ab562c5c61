"""Looks that callers wait for: a few at a time, and nobody for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from structlog.contextvars import bound_contextvars

from receiver.graph.errors import CallFailed
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 2.0
"""How long a caller's read waits for Facebook before it is answered from SQL all the same."""

Job = Callable[[], object]


class Readers:
    """The threads of one process that look at Facebook for its callers.

    Callers wait for ``patience_seconds``. A look that takes longer goes on, and is there for the
    next one.
    """

    def __init__(self, *, threads: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.patience_seconds = patience_seconds
        self._pool = ThreadPoolExecutor(max_workers=max(1, threads // 4), thread_name_prefix="read")

    def close(self) -> None:
        """Wait for the looks under way; none begins any more."""
        self._pool.shutdown(cancel_futures=True)

    def run(self, jobs: Sequence[Job], *, account_id: int) -> None:
        """Do the jobs, and wait for them as long as a caller waits; what did not begin is dropped.

        What goes wrong with one is logged: what is known can be read without it.
        """
        ends = time.monotonic() + self.patience_seconds
        futures: list[Future[None]] = [
            self._pool.submit(_guarded, job, account_id=account_id) for job in jobs
        ]
        _, late = wait(futures, timeout=ends - time.monotonic())
        for future in late:
            future.cancel()


def _guarded(job: Job, *, account_id: int) -> None:
    with bound_contextvars(account_id=account_id):
        try:
            job()
        except CallFailed as error:
            trace = {"reason": str(error), "fbtrace_id": error.fbtrace_id}
            log.warning("A look for a caller led to nothing", **trace)
        except DatabaseAway as error:
            log.warning("A look for a caller led to nothing", reason=str(error))
        except Exception:
            log.exception("A look for a caller failed")
