"""How long a notification waits beside senders that drip: our worker class, and gunicorn's own.

Both serve the same application in the same run, one after the other. What the numbers mean stands
in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import click
import requests

from receiver.cli.demo.stage import Stage

_ACCOUNT = "71597454"
_DRIPPING = 64
_NOTIFICATIONS = 20
_TIMEOUT_SECONDS = 10
_CLASSES = {
    "ours": "receiver.web.patient_worker.PatientWorker",
    "gunicorn's gthread": "gthread",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, as_json: bool) -> None:
    """Send notifications while 64 connections send a byte of their headers each half second."""
    report = {name: measure(worker_class) for name, worker_class in _CLASSES.items()}
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    for name, found in report.items():
        click.echo(f"{name:20} {found}")


def measure(worker_class: str) -> dict[str, Any]:
    """Return how many notifications were answered within ten seconds, and how fast."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--worker-class", worker_class, "--threads", "32")
        stage = Stage(Path(folder), web_options=options)
        try:
            stage.open([_ACCOUNT])
            _create(stage)
            uri = stage.ledger()[-1]["notification_uri"]
            with _dripping(stage.receiver_url):
                time.sleep(2)
                seconds = [_notify(uri) for _ in range(_NOTIFICATIONS)]
        finally:
            stage.close()
    answered = [each for each in seconds if each is not None]
    fast = {"median_ms": round(1000 * median(answered), 1)} if answered else {}
    return {"answered": f"{len(answered)} of {_NOTIFICATIONS}", **fast}


def _create(stage: Stage) -> None:
    specs = [{"name": "one", "adset_id": "6008248529789"}]
    requests.post(
        f"{stage.receiver_url}/act_{_ACCOUNT}/asyncadrequestsets",
        data={"name": "notified", "ad_specs": json.dumps(specs), "access_token": stage.key},
        timeout=_TIMEOUT_SECONDS,
    ).raise_for_status()


def _notify(uri: str) -> float | None:
    began = time.perf_counter()
    with suppress(requests.RequestException):
        requests.post(uri, data={"id": "1"}, timeout=_TIMEOUT_SECONDS).raise_for_status()
        return time.perf_counter() - began
    return None


@contextmanager
def _dripping(url: str) -> Iterator[None]:
    host, port = url.removeprefix("http://").split(":")
    ends = threading.Event()
    with ExitStack() as held:
        sockets = [
            held.enter_context(socket.create_connection((host, int(port))))
            for _ in range(_DRIPPING)
        ]
        for one in sockets:
            one.sendall(b"POST /notifications/x HTTP/1.1\r\nX-Slow: ")

        def drip() -> None:
            while not ends.wait(0.5):
                for one in sockets:
                    with suppress(OSError):
                        one.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()


if __name__ == "__main__":
    main()
