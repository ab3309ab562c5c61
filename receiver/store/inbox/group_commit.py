"""Commit what many callers bring in one transaction for all that wait.

A durable commit waits for the disk, and as long for one row as for a hundred. There is no thread
of its own: whoever finds nobody committing commits for everybody that waits, and hands that on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from greenlet import getcurrent, greenlet

RowT = TypeVar("RowT")
ResultT = TypeVar("ResultT")


class NotCommitted(Exception):
    """Rows were not committed in time, or the thread that was to commit them ended.

    They may be committed all the same.
    """


class _Waiting(Generic[RowT]):
    """The rows of a thread that waits until they are committed, or until it is to commit."""

    __slots__ = ("ends", "rows", "turn")

    def __init__(self, rows: Sequence[RowT]) -> None:
        self.rows = rows
        self.turn = threading.Lock()
        self.turn.acquire()
        self.ends: Sequence[Exception | None] | None = None


class Ended(Generic[ResultT]):
    """How a job ended, told as a ``Future`` tells it, at a tenth of its price."""

    __slots__ = ("_error", "_result")

    def run(self, job: Callable[[], ResultT]) -> None:
        self._error: BaseException | None = None
        try:
            self._result = job()
        except BaseException as error:  # noqa: BLE001  # whoever asks is told
            self._error = error

    def result(self) -> ResultT:
        """Return what the job returned. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result

    def exception(self) -> BaseException | None:
        return self._error

    def cancelled(self) -> bool:
        return False


class _Here(threading.local):
    """Whether this thread runs jobs together at the moment."""

    is_together = False


class GroupCommit(Generic[RowT]):
    """Rows of many callers, committed by one of their threads at a time."""

    def __init__(
        self,
        commit: Callable[[Sequence[RowT]], Sequence[Exception | None]],
        *,
        timeout_seconds: float,
    ) -> None:
        """``commit`` returns how each row ended; what it raises is how all of them did.

        ``timeout_seconds`` bounds the wait for others; ``commit`` itself has to be bounded too.
        """
        self._commit = commit
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._pending: list[_Waiting[RowT]] = []
        self._is_led = False
        self._here = _Here()

    def put(self, row: RowT) -> None:
        """Return once a row is committed. Raises what ``commit`` says of it, and NotCommitted."""
        if self._here.is_together:
            end: Exception | None = getcurrent().parent.switch(row)
        else:
            (end,) = self._put([row])
        if end is not None:
            raise end.with_traceback(None)

    def run_together(self, jobs: Sequence[Callable[[], ResultT]]) -> list[Ended[ResultT]]:
        """Run jobs in this thread, each until it puts a row; commit the rows; end each job.

        It takes a thread a job less than ``put`` in as many threads, and waking a thread costs more
        than what such a job does. While one waits for something else, they all do.
        """
        ended: list[Ended[ResultT]] = [Ended() for _ in jobs]
        turns = [greenlet(partial(one.run, job)) for one, job in zip(ended, jobs, strict=True)]
        self._here.is_together = True
        try:
            brought = [(turn, turn.switch()) for turn in turns]
        finally:
            self._here.is_together = False
        waiting = [(turn, row) for turn, row in brought if not turn.dead]
        ends = self._put([row for _, row in waiting]) if waiting else []
        for (turn, _), end in zip(waiting, ends, strict=True):
            turn.switch(end)
        return ended

    def _put(self, rows: Sequence[RowT]) -> Sequence[Exception | None]:
        waiting = _Waiting(rows)
        with self._lock:
            self._pending.append(waiting)
            leads, self._is_led = not self._is_led, True
        if not leads and not self._is_my_turn(waiting):
            error = NotCommitted(f"Others took more than {self._timeout_seconds:g} s to commit.")
            return [error] * len(rows)
        if waiting.ends is None:
            self._lead()
        return waiting.ends or ()

    def _is_my_turn(self, waiting: _Waiting[RowT]) -> bool:
        """Wait until somebody committed these rows, or they are to be committed by this thread."""
        if waiting.turn.acquire(timeout=self._timeout_seconds):
            return True
        with self._lock:
            # Whose turn came in this very moment has to take it: others wait for that.
            if waiting.turn.acquire(blocking=False):
                return True
            if waiting in self._pending:
                self._pending.remove(waiting)
        return False

    def _lead(self) -> None:
        """Commit all that waits; what this thread brought is the first of it."""
        with self._lock:
            batch, self._pending = self._pending, []
        rows = [row for waiting in batch for row in waiting.rows]
        ends: Sequence[Exception | None] = [NotCommitted("The committing thread ended.")] * len(
            rows
        )
        try:
            ends = self._commit(rows)
        except Exception as error:  # noqa: BLE001  # each of them is told, in its own thread
            ends = [error] * len(rows)
        finally:
            self._hand_on()
            _tell(batch, ends)

    def _hand_on(self) -> None:
        """Let the next one commit, first of all: the others only have to answer."""
        with self._lock:
            if self._pending:
                self._pending[0].turn.release()
            else:
                self._is_led = False


def _tell(batch: Sequence[_Waiting[RowT]], ends: Sequence[Exception | None]) -> None:
    told = 0
    for waiting in batch:
        waiting.ends = ends[told : told + len(waiting.rows)]
        told += len(waiting.rows)
        waiting.turn.release()
