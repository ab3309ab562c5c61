"""gunicorn's worker classes under the receiver, also beside senders that drip their headers."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from benchmarks.dripping import dripping
from benchmarks.figure import Figure, Unmeasured
from benchmarks.ingest_contenders import Contender, new_database, ours
from benchmarks.ingest_rounds import Generator, Round, Say, generating
from benchmarks.peers.environments import NotInstalled, environment_of

CLASSES = {
    "PatientWorker": "receiver.web.patient_worker.PatientWorker",
    "gthread": "gthread",
    "gevent": "gevent",
}

_TRIES = 6
_WARM_UP_SECONDS = 1.0


def figures(
    backend: str, *, rounds: int, seconds: float, say: Say
) -> Iterator[Figure | Unmeasured]:
    """Measure each class, with honest connections alone and with 64 dripping ones beside them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(backend, Path(folder)) as database_url,
        generating() as generator,
    ):
        for name in CLASSES:
            try:
                contender = _contender(name, Path(folder), database_url=database_url)
            except NotInstalled as error:
                yield Unmeasured(f"{backend}: worker class {name}", str(error))
                continue
            for is_dripping in (False, True):
                found = [
                    _round(generator, contender, seconds=seconds, is_dripping=is_dripping)
                    for _ in range(rounds)
                ]
                beside = ", 64 dripping" if is_dripping else ""
                title = f"{backend}: worker class {name}{beside}"
                for one in found:
                    say(f"{title:50} {one}")
                yield Figure.of(f"{title}, 2xx", [one.per_second for one in found], unit="/s")
                yield Figure.of(f"{title}, p99", [one.p99_ms for one in found], unit="ms")


def _contender(name: str, folder: Path, *, database_url: str) -> Contender:
    options = ("--worker-class", CLASSES[name])
    if name != "gevent":
        return ours(folder, database_url=database_url, options=options)
    # The receiver's own environment, with gevent from another one.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = environment_of("gevent") / "lib" / version / "site-packages"
    environment = {"PYTHONPATH": str(path)}
    return ours(folder, database_url=database_url, options=options, environment=environment)


def _round(
    generator: Generator, contender: Contender, *, seconds: float, is_dripping: bool
) -> Round:
    for _ in range(_TRIES):
        with closing(contender.start()) as server:
            generator.round(contender, server, seconds=_WARM_UP_SECONDS)
            with dripping(server.port) if is_dripping else nullcontext():
                found = generator.round(contender, server, seconds=seconds)
        if not found.has_idle_worker:
            return found
    raise ValueError(f"A worker was idle in each of {_TRIES} rounds")
