"""How many notifications are taken in a second, and how fast, with every 2xx in the database.

Run with ``make bench``, or by itself: ``python -m benchmarks.ingest``. Who is compared, and what
the numbers mean, stands in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from benchmarks import ingest_classes, ingest_collecting
from benchmarks.databases import BACKENDS, new_database
from benchmarks.figure import Figure, Unmeasured
from benchmarks.ingest_contenders import Contender, djstripe, noop, ours, raw_insert
from benchmarks.ingest_rounds import Round, Say, balanced_round, generating
from benchmarks.peers.environments import NotInstalled
from benchmarks.postgresql import NoPostgreSQL

CONTENDERS = {
    "ours": "the receiver",
    "noop": "a view that does nothing, gthread",
    "insert": "a raw INSERT in that view",
    "djstripe": "dj-stripe's webhook endpoint",
}
PARTS = (*CONTENDERS, "collecting", "classes")

_SECONDS = 3.0
_TARGETS = {"noop": 0.8, "insert": 1.2, "djstripe": 5.0}

Rounds = dict[str, list[Round]]
Figures = Iterator[Figure | Unmeasured]


@click.command()
@click.option("--backend", "backends", type=click.Choice(BACKENDS), multiple=True, default=BACKENDS)
@click.option("--only", default=",".join(PARTS), show_default=True, help="What to measure.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of a round.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list and nothing else.")
def main(*, backends: Sequence[str], only: str, rounds: int, seconds: float, as_json: bool) -> None:
    """Load one contender after the other, round by round, and compare rounds of the same turn."""
    parts = only.split(",")
    if unknown := set(parts) - set(PARTS):
        raise click.BadParameter(f"--only takes {', '.join(PARTS)}, not {', '.join(unknown)}")
    say = _say_nothing if as_json else _say
    try:
        found = [
            figure
            for backend in backends
            for figure in measured(backend, parts=parts, rounds=rounds, seconds=seconds, say=say)
        ]
    except NoPostgreSQL as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps([figure.document() for figure in found], indent=2))
        return
    for figure in found:
        click.echo(_line(figure))


def figures(*, rounds: int, say: Say) -> Figures:
    """Measure everything on both databases, the worker classes on PostgreSQL.

    Raises NoPostgreSQL.
    """
    for backend in BACKENDS:
        parts = [part for part in PARTS if (backend, part) != ("sqlite", "classes")]
        yield from measured(backend, parts=parts, rounds=rounds, seconds=_SECONDS, say=say)


def measured(
    backend: str, *, parts: Sequence[str], rounds: int, seconds: float, say: Say
) -> Figures:
    """Measure parts on one database."""
    contenders = [part for part in parts if part in CONTENDERS]
    if contenders:
        yield from _compared(backend, contenders, rounds=rounds, seconds=seconds, say=say)
    if "collecting" in parts:
        yield ingest_collecting.figure(backend, rounds=rounds, seconds=seconds, say=say)
    if "classes" in parts:
        # Six rounds of each turn, and nothing that they are divided by.
        half = (rounds + 1) // 2
        yield from ingest_classes.figures(backend, rounds=half, seconds=seconds, say=say)


def _compared(
    backend: str, names: Sequence[str], *, rounds: int, seconds: float, say: Say
) -> Figures:
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(backend, Path(folder), label="ingest") as database_url,
    ):
        contenders: dict[str, Contender] = {}
        for name in names:
            try:
                contenders[name] = _contender(name, Path(folder), database_url=database_url)
            except NotInstalled as error:
                yield Unmeasured(f"{backend}: {CONTENDERS[name]}", str(error))
        found = _in_turn(contenders, rounds=rounds, seconds=seconds, say=say)
    for name, each in found.items():
        yield from _figures_of(f"{backend}: {CONTENDERS[name]}", each)
    for peer in found:
        if "ours" in found and peer != "ours":
            yield from _figures_against(peer, found, backend=backend)


def _contender(name: str, folder: Path, *, database_url: str) -> Contender:
    if name == "noop":
        return noop(folder)
    prepare = {"ours": ours, "insert": raw_insert, "djstripe": djstripe}[name]
    return prepare(folder, database_url=database_url)


def _in_turn(
    contenders: Mapping[str, Contender], *, rounds: int, seconds: float, say: Say
) -> Rounds:
    """Load contenders in one order, then in the other, so that none always follows the same."""
    found: Rounds = {name: [] for name in contenders}
    with generating() as generator:
        for number in range(rounds):
            for name in list(contenders)[:: -1 if number % 2 else 1]:
                one = balanced_round(generator, contenders[name], seconds=seconds, say=say)
                say(f"{CONTENDERS[name]:34} {one}")
                found[name].append(one)
    return found


def _figures_of(name: str, rounds: Sequence[Round]) -> Iterator[Figure]:
    detail = "; ".join(" ".join(str(one).split()) for one in rounds)
    rates = [one.per_second for one in rounds]
    yield Figure.of(f"{name}, 2xx", rates, unit="/s").with_detail(detail)
    yield Figure.of(f"{name}, p50", [one.p50_ms for one in rounds], unit="ms")
    yield Figure.of(f"{name}, p99", [one.p99_ms for one in rounds], unit="ms")


def _figures_against(
    peer: str, found: Mapping[str, Sequence[Round]], *, backend: str
) -> Iterator[Figure]:
    """The receiver's rounds, each divided by the peer's of the same turn."""
    pairs = list(zip(found["ours"], found[peer], strict=True))
    rates = [ours.per_second / theirs.per_second for ours, theirs in pairs]
    figure = Figure.of(f"{backend}: 2xx a second", rates, unit="x", peer=CONTENDERS[peer])
    yield figure.at_least(_TARGETS[peer])
    if peer == "noop":
        p99 = [ours.p99_ms / theirs.p99_ms for ours, theirs in pairs]
        yield Figure.of(f"{backend}: p99", p99, unit="x", peer=CONTENDERS[peer]).at_most(1)


def _line(one: Figure | Unmeasured) -> str:
    if isinstance(one, Unmeasured):
        return f"{one.name:78} not measured: {one.reason}"
    name = f"{one.name} / {one.peer}" if one.peer else one.name
    spread = f"[{one.lowest:.2f} - {one.highest:.2f}]"
    met = {None: "", True: f"{one.target}: met", False: f"{one.target}: MISSED"}[one.is_met]
    return f"{name:78}{one.value:9.2f} {one.unit:4}{spread:24}{met}".rstrip()


def _say(line: str) -> None:
    click.echo(line, err=True)


def _say_nothing(_line: str) -> None:
    pass


if __name__ == "__main__":
    main()
