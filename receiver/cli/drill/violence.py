"""Kill and pause our own processes, at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

from receiver.cli.drill.stage import Stage
from receiver.cli.processes import NotStarted

_EVERY_SECONDS = (1.5, 4.0)


class Violence:
    """A thread that deals one blow after the other, each kind once before any comes again."""

    def __init__(self, stage: Stage, *, longest_pause_seconds: float, seed: int) -> None:
        self._longest_pause_seconds = longest_pause_seconds
        self.done: Counter[str] = Counter()
        self._stage = stage
        self._draws = random.Random(seed)  # noqa: S311  # to come back the same
        self._stopping = threading.Event()
        self._pauses: list[threading.Timer] = []
        self._failure: NotStarted | None = None
        self._thread = threading.Thread(target=self._run)

    @property
    def has_dealt_each(self) -> bool:
        """Whether every kind of blow was dealt."""
        return len(self.done) == len(BLOWS)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it, and let every process go on. Raises NotStarted for one that did not come back."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for pause in self._pauses:
            pause.cancel()
            pause.function()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._deal()
        except NotStarted as error:
            self._failure = error

    def _deal(self) -> None:
        waiting: list[str] = []
        while not self._stopping.wait(self._draws.uniform(*_EVERY_SECONDS)):
            waiting = waiting or self._draws.sample(list(BLOWS), len(BLOWS))
            name = waiting.pop()
            if BLOWS[name](self):
                self.done[name] += 1

    def kill_web_process(self) -> bool:
        """Gunicorn starts another one by itself."""
        return self._signal_web_process(signal.SIGKILL) is not None

    def kill_web(self) -> bool:
        web = self._stage.web
        if web is None:
            return False
        _signal_group(web.pid, signal.SIGKILL)
        web.wait()
        self._stage.start_web()
        return True

    def kill_worker(self) -> bool:
        number = self._draws.randrange(len(self._stage.workers))
        worker = self._stage.workers[number]
        # With all that it started: beside it may be a Celery worker.
        _signal_group(worker.pid, signal.SIGKILL)
        worker.wait()
        self._stage.workers[number] = self._stage.start_worker()
        return True

    def pause_web_process(self) -> bool:
        process_id = self._signal_web_process(signal.SIGSTOP)
        if process_id is not None:
            self._wake_later(lambda: _signal(process_id, signal.SIGCONT))
        return process_id is not None

    def pause_worker(self) -> bool:
        worker = self._draws.choice(self._stage.workers)
        _signal_group(worker.pid, signal.SIGSTOP)
        self._wake_later(lambda: _signal_group(worker.pid, signal.SIGCONT))
        return True

    def _signal_web_process(self, number: signal.Signals) -> int | None:
        """Send a signal to one of gunicorn's processes, and return its id."""
        processes = [] if self._stage.web is None else _children(self._stage.web.pid)
        if not processes:
            return None
        process_id = self._draws.choice(processes)
        return process_id if _signal(process_id, number) else None

    def _wake_later(self, wake: Callable[[], object]) -> None:
        pause = threading.Timer(self._draws.uniform(1.0, self._longest_pause_seconds), wake)
        pause.daemon = True
        pause.start()
        self._pauses.append(pause)


BLOWS: Mapping[str, Callable[[Violence], bool]] = {
    "a web process killed": Violence.kill_web_process,
    "the web service killed": Violence.kill_web,
    "a worker killed": Violence.kill_worker,
    "a web process paused": Violence.pause_web_process,
    "a worker paused": Violence.pause_worker,
}
"""What is dealt; each tells whether there was something to deal it to."""


def _signal(process_id: int, number: signal.Signals) -> bool:
    """Send a signal to a process; False for one that is gone."""
    with suppress(ProcessLookupError):
        os.kill(process_id, number)
        return True
    return False


def _signal_group(process_id: int, number: signal.Signals) -> None:
    """Send a signal to a process that leads a group, and to all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process_id, number)


def _children(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607  # wherever the system keeps it
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, its_parent in pairs if int(its_parent) == parent]
