"""Brokers of a test's own, real ones, to be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from receiver.broker.connection import QUEUE, Broker, BrokerAway, make_app
from receiver.cli.processes import free_port, plain_environment
from tests.support.processes import eventually
from tests.support.programs import required_program

BROKERS = ("redis", "rabbitmq")

PASSWORD = "Nobody-may-see-this-1"
"""What Redis asks for."""

_START_SECONDS = 60.0
_RABBITMQ = "/usr/lib/rabbitmq/bin"
"""Where Debian keeps the program itself; what it has in the path becomes another user first."""


class OwnBroker:
    """A broker that nobody else uses. What it was given to keep outlives it."""

    def __init__(
        self, url: str, *, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.url = url
        self._command = list(command)
        self._environment = dict(environment)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env={**plain_environment(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(
            self.answers,
            what=lambda: f"the broker answers: {log.read_text()}",
            seconds=_START_SECONDS,
        )

    def kill(self) -> None:
        """Kill it and whatever it started, with SIGKILL."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def answers(self) -> bool:
        """Tell whether it takes messages."""
        broker = Broker(self.url)
        try:
            broker.count_waiting()
        except BrokerAway:
            return False
        finally:
            broker.close()
        return True


def empty(url: str) -> None:
    """Take every message out of the queue."""
    with make_app(url).connection_for_write() as connection, connection.SimpleQueue(QUEUE) as queue:
        queue.clear()


def taken(url: str) -> list[tuple[str, Any]]:
    """Take every message out of the queue; return the task and the body of each, oldest first."""
    found = []
    with (
        make_app(url).connection_for_read() as connection,
        connection.SimpleQueue(QUEUE) as queue,
        suppress(Empty),
    ):
        while True:
            message = queue.get_nowait()
            found.append((message.headers["task"], json.loads(message.body)))
            message.ack()
    return found


def woken(url: str) -> list[int]:
    """Take every message out of the queue, and return the account of each, oldest first."""
    return [body[0][0] for _, body in taken(url)]


@contextmanager
def own_broker(kind: str, folder: Path) -> Iterator[OwnBroker]:
    """Run a broker of a kind for the block; it may be killed and started again meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = _redis(folder) if kind == "redis" else _rabbitmq(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def _redis(folder: Path) -> OwnBroker:
    port = str(free_port())
    options = ["--port", port, "--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""]
    options += ["--requirepass", PASSWORD]
    return OwnBroker(
        f"redis://:{PASSWORD}@127.0.0.1:{port}/0",
        command=[required_program("redis-server"), *options, "--dir", str(folder)],
        environment={},
        folder=folder,
    )


def _rabbitmq(folder: Path) -> OwnBroker:
    port = free_port()
    return OwnBroker(
        f"amqp://guest:guest@127.0.0.1:{port}//",
        command=[required_program(f"{_RABBITMQ}/rabbitmq-server", "rabbitmq-server")],
        environment={
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"test-{uuid.uuid4().hex}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "none"),
        },
        folder=folder,
    )
