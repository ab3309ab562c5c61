"""The process that the Celery worker runs in, beside the loop."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import SpawnProcess

import structlog

from receiver.settings import Settings

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 5.0


class CeleryProcess:
    """Started anew whenever it has ended, until it is told to end."""

    def __init__(self, settings: Settings, *, run: Callable[[Settings], None]) -> None:
        self._settings = settings
        self._run = run
        self._process: SpawnProcess | None = None
        self._is_ending = False

    def keep_alive(self) -> bool:
        """Start the process if it does not run.

        Returns False: there is nothing more to do before the next interval.
        """
        process = self._process
        if self._is_ending or (process is not None and process.is_alive()):
            return False
        if process is not None:
            log.error("The Celery worker has died: it is started anew", exitcode=process.exitcode)
        # Whoever stops a service often sends SIGTERM to all of its processes. With this, those that
        # take the steps leave it to the one above them, which lets them finish.
        os.environ["REMAP_SIGTERM"] = "SIGQUIT"
        # Spawned: a fork of this process, with its threads and connections, is good for nothing.
        self._process = multiprocessing.get_context("spawn").Process(
            target=self._run, args=(self._settings,), name="celery"
        )
        self._process.start()
        return False

    def end(self) -> None:
        """Let it finish its steps; the second time, end it at once."""
        number = signal.SIGQUIT if self._is_ending else signal.SIGTERM
        self._is_ending = True
        self._send(number)

    def join(self) -> None:
        """Wait until it has ended, once nobody keeps it alive any more."""
        # It may have been started in the very moment of the end.
        self._send(signal.SIGTERM)
        if self._process is not None:
            self._process.join()

    def _send(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None and process.pid is not None and process.is_alive():
            os.kill(process.pid, number)
