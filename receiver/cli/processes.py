"""Processes that are started one by one and end together."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

WEB_OPTIONS = (
    "--worker-class",
    "receiver.web.patient_worker.PatientWorker",
    "--threads",
    "32",
)
"""How gunicorn serves, as in gunicorn.conf.py, which an installed package does not have."""

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class NotStarted(Exception):
    """A process ended or stayed silent before it was ready; the text ends with what it printed."""


class Fleet:
    """Processes that end together. What they print goes to files in ``folder``."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(
        self, name: str, arguments: Sequence[str], *, is_ready: Callable[[], bool]
    ) -> subprocess.Popen[bytes]:
        """Start ``python -m …``, wait until it is ready, and return it. Raises NotStarted."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # the arguments are our own
                [sys.executable, "-m", *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the demo alone, which then ends them in order.
                start_new_session=True,
            )
        self._running.append((name, process))
        ends = time.monotonic() + _START_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > ends:
                raise NotStarted(f"{name} did not start:\n{self.log(name).read_text()[-2000:]}")
            time.sleep(0.05)
        return process

    def start_sandbox(self) -> str:
        """Start a sandbox on a free port, and return its URL. Raises NotStarted."""
        log = self.log("sandbox")

        def address() -> re.Match[str] | None:
            return re.search(r"http://127\.0\.0\.1:[0-9]+", log.read_text())

        arguments = ["receiver", "sandbox", "--port", "0"]
        self.start("sandbox", arguments, is_ready=lambda: address() is not None)
        found = address()
        return found[0] if found else ""

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker, and return it. Raises NotStarted."""
        log = self.log(name)
        return self.start(
            name, ["receiver", "worker"], is_ready=lambda: "The worker runs" in log.read_text()
        )

    def run(self, arguments: Sequence[str], *, text: str = "") -> str:
        """Run ``python -m …`` to its end and return what it printed. Raises NotStarted."""
        done = subprocess.run(  # noqa: S603  # the arguments are our own
            [sys.executable, "-m", *arguments],
            cwd=self._folder,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_SECONDS,
        )
        if done.returncode != 0:
            raise NotStarted(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def add_environment(self, more: Mapping[str, str]) -> None:
        """Give the processes that are started from now on more of an environment."""
        self._environment.update(more)

    def pids(self) -> dict[str, int]:
        """The ids of the processes that were started, by their names."""
        return {name: process.pid for name, process in self._running}

    def log(self, name: str) -> Path:
        """The file that holds what a process printed."""
        return self._folder / f"{name}.log"

    def stop(self) -> None:
        """End every process, the newest first, and what it started itself."""
        for _, process in reversed(self._running):
            if process.poll() is None:
                process.terminate()
        ends = time.monotonic() + _STOP_SECONDS
        for _, process in reversed(self._running):
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, ends - time.monotonic()))
            _kill_group(process)
        self._running.clear()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # A group that is gone is what was wanted.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def plain_environment() -> dict[str, str]:
    """The environment of this process without the receiver's settings: a fleet brings its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}


def free_port() -> int:
    """Return a TCP port of this machine that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
