"""gunicorn's worker classes under the receiver, also beside senders that drip their headers."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from benchmarks.databases import new_database
from benchmarks.dripping import dripping
from benchmarks.figure import Figure, Unmeasured
from benchmarks.ingest_contenders import Contender, ours
from benchmarks.ingest_rounds import Beside, Round, Say, balanced_round, generating, nothing
from benchmarks.peers.environments import NotInstalled, environment_of
from benchmarks.web_server import REPOSITORY

CLASSES = {
    "PatientWorker": "receiver.web.patient_worker.PatientWorker",
    "gthread": "gthread",
    "gevent": "gevent",
}

Figures = Iterator[Figure | Unmeasured]


def figures(backend: str, *, rounds: int, seconds: float, say: Say) -> Figures:
    """Measure each class, with honest connections alone and with 64 dripping ones beside them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(backend, Path(folder), label="ingest") as database_url,
    ):
        contenders: dict[str, Contender] = {}
        for name in CLASSES:
            try:
                contenders[name] = _contender(name, Path(folder), database_url=database_url)
            except NotInstalled as error:
                yield Unmeasured(f"{backend}: worker class {name}", str(error))
        found = _in_turn(contenders, rounds=rounds, seconds=seconds, say=say)
    for title, each in found.items():
        rates = [one.per_second for one in each]
        detail = "; ".join(" ".join(str(one).split()) for one in each)
        yield Figure.of(f"{backend}: {title}, 2xx", rates, unit="/s").with_detail(detail)
        yield Figure.of(f"{backend}: {title}, p99", [one.p99_ms for one in each], unit="ms")
        # A few of many are no percentile, and yet a sender each that nobody answers.
        waiting = [one.unanswered for one in each]
        yield Figure.of(f"{backend}: {title}, never answered", waiting, unit="of 32")


def _in_turn(
    contenders: Mapping[str, Contender], *, rounds: int, seconds: float, say: Say
) -> dict[str, list[Round]]:
    found = defaultdict(list)
    with generating() as generator:
        for _, (name, contender), is_dripping in product(
            range(rounds), contenders.items(), (False, True)
        ):
            title = f"worker class {name}{', 64 dripping' if is_dripping else ''}"
            beside: Beside = dripping if is_dripping else nothing
            one = balanced_round(generator, contender, seconds=seconds, say=say, beside=beside)
            say(f"{title:42} {one}")
            found[title].append(one)
    return found


def _contender(name: str, folder: Path, *, database_url: str) -> Contender:
    options = ("--worker-class", CLASSES[name])
    if name != "gevent":
        return ours(folder, database_url=database_url, options=options)
    # The receiver's own environment, with gevent from another one, which patches at the start.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = environment_of("gevent") / "lib" / version / "site-packages"
    path = os.pathsep.join((str(REPOSITORY / "benchmarks" / "peers" / "gevent"), str(packages)))
    environment = {"PYTHONPATH": path}
    return ours(folder, database_url=database_url, options=options, environment=environment)
