"""gunicorn as a process of its own, and what its workers cost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks import cpu
from receiver.cli.processes import is_listening, plain_environment

WORKERS = 2
REPOSITORY = Path(__file__).parents[1]

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class WebServer:
    """A gunicorn of two workers on a port of its own, from its start to ``close``."""

    def __init__(
        self,
        application: str,
        *,
        log: Path,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        folder: Path = REPOSITORY,
    ) -> None:
        """Start it in a folder, and wait until it listens. Raises ValueError when it does not."""
        self._log = log
        # Bound for as long as it runs, and never listening: gunicorn shares the port with it, and
        # nobody else on this machine is given it meanwhile.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port: int = self._held.getsockname()[1]
        bind = ("--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS))
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  # the arguments are our own
                [python, "-m", "gunicorn", *bind, *options, application],
                cwd=folder,
                env={**plain_environment(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        ends_at = time.monotonic() + _START_SECONDS
        while not (is_listening(self.port) and len(self.worker_ids()) == WORKERS):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                self.close()
                raise ValueError(f"gunicorn did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def worker_ids(self) -> list[int]:
        """The process ids of the workers, oldest first."""
        process_id = self._process.pid
        children = Path(f"/proc/{process_id}/task/{process_id}/children")
        return sorted(map(int, children.read_text().split()))

    def worker_cpu_seconds(self) -> dict[int, float]:
        """What each worker has used of a core since it began."""
        return {one: cpu.seconds_of(one) for one in self.worker_ids()}

    def close(self) -> None:
        """End it, and what it started."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._held.close()
