"""How many notifications are taken in a second, and how fast, with every 2xx in the database.

Run with ``make bench``; who is compared, and what the numbers mean, stands in
``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from benchmarks.databases import BACKENDS, empty_database_url
from benchmarks.figure import Figure
from benchmarks.ingest_contenders import Contender, noop, ours, raw_insert
from benchmarks.ingest_rounds import Round, Say, balanced_round, generating

NOOP = "no-op view under gthread"
INSERT = "raw-driver INSERT in that view"
OURS = "ours"

_SECONDS = 4.0
_PARTS = {"ours": OURS, "noop": NOOP, "insert": INSERT}

Rounds = dict[str, list[Round]]


@click.command()
@click.option("--backend", "backends", type=click.Choice(BACKENDS), multiple=True, default=BACKENDS)
@click.option("--only", default=",".join(_PARTS), show_default=True, help="What to measure.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each contender.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of a round.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, backends: Sequence[str], only: str, rounds: int, seconds: float, as_json: bool) -> None:
    """Load one contender after the other, round by round, and compare neighbouring rounds."""
    names = only.split(",")
    if unknown := set(names) - set(_PARTS):
        raise click.BadParameter(f"--only takes {', '.join(_PARTS)}, not {', '.join(unknown)}")
    measured = {}
    found: list[Figure] = []
    for backend in backends:
        measured[backend] = measure(
            backend,
            names=names,
            rounds=rounds,
            seconds=seconds,
            say=_say_nothing if as_json else _say,
        )
        found += backend_figures(backend, measured[backend])
    if as_json:
        click.echo(json.dumps(_document(found, measured), indent=2))
    else:
        for figure in found:
            click.echo(_line(figure))


def figures(*, rounds: int, say: Say) -> Iterator[Figure]:
    """Measure everything on both databases."""
    for backend in BACKENDS:
        found = measure(backend, names=list(_PARTS), rounds=rounds, seconds=_SECONDS, say=say)
        yield from backend_figures(backend, found)


def measure(backend: str, *, names: Sequence[str], rounds: int, seconds: float, say: Say) -> Rounds:
    """Start and load contenders in turn: in one order, then in the other."""
    found: Rounds = {_PARTS[name]: [] for name in names}
    with (
        tempfile.TemporaryDirectory() as folder,
        generating() as generator,
        ExitStack() as databases,
    ):
        contenders = {
            _PARTS[name]: _contender(name, backend, Path(folder), databases) for name in names
        }
        for number in range(rounds):
            for name in list(contenders)[:: -1 if number % 2 else 1]:
                one = balanced_round(generator, contenders[name], seconds=seconds, say=say)
                say(f"{backend:10} {name:32} {one}")
                found[name].append(one)
    return found


def _contender(name: str, backend: str, folder: Path, databases: ExitStack) -> Contender:
    if name == "noop":
        return noop(folder)
    url = databases.enter_context(empty_database_url(backend, folder))
    return {"ours": ours, "insert": raw_insert}[name](folder, database_url=url)


def backend_figures(backend: str, found: Mapping[str, Sequence[Round]]) -> Iterator[Figure]:
    """Return what was measured of each contender, and ours against each of the others."""
    for name, each in found.items():
        about = f"ingest, {backend}, {name}"
        yield Figure.of(f"{about}: notifications", [one.per_second for one in each], unit="1/s")
        yield Figure.of(f"{about}: p50", [one.p50_ms for one in each], unit="ms")
        yield Figure.of(f"{about}: p99", [one.p99_ms for one in each], unit="ms")
    if OURS not in found:
        return
    throughput, p99 = f"ingest, {backend}: throughput", f"ingest, {backend}: p99"
    if NOOP in found:
        yield _against(NOOP, found, name=throughput, value="per_second").at_least(0.8)
        yield _against(NOOP, found, name=p99, value="p99_ms").at_most(1)
    if INSERT in found:
        yield _against(INSERT, found, name=throughput, value="per_second").at_least(1.2)


def _against(peer: str, found: Mapping[str, Sequence[Round]], *, name: str, value: str) -> Figure:
    """Ours divided by a peer's, each round by the one of the same turn."""
    ratios = [
        getattr(mine, value) / getattr(theirs, value)
        for mine, theirs in zip(found[OURS], found[peer], strict=True)
    ]
    return Figure.of(name, ratios, unit="x", peer=peer)


def _document(found: Sequence[Figure], measured: Mapping[str, Rounds]) -> dict[str, object]:
    rounds = {
        backend: {name: [one.document() for one in each] for name, each in by_name.items()}
        for backend, by_name in measured.items()
    }
    return {"figures": [figure.document() for figure in found], "rounds": rounds}


def _line(figure: Figure) -> str:
    spread = f"[{figure.lowest:.2f} - {figure.highest:.2f}]"
    peer = f", {figure.peer}" if figure.peer else ""
    met = {None: "", True: f"  {figure.target}: met", False: f"  {figure.target}: missed"}
    return (
        f"{figure.name + peer:80}{figure.value:9.2f} {figure.unit:4}{spread:22}{met[figure.is_met]}"
    )


def _say(line: str) -> None:
    click.echo(line, err=True)


def _say_nothing(_line: str) -> None:
    pass


if __name__ == "__main__":
    main()
