"""Measure everything, one after the other: ``make bench``, or ``python -m benchmarks``.

A missed target is shown and is no error: it says something of the receiver, or of the machine. A
benchmark that could not run is one, and the others run all the same.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from benchmarks.figure import Figure, Unmeasured
from benchmarks.machine import this_machine
from benchmarks.postgresql import NoPostgreSQL
from benchmarks.report import Row, document, table

_WRITTEN_TO = Path(__file__).parent.parent / "build" / "bench.json"
_NARROWEST_COLUMNS = 120


@dataclass(frozen=True)
class Benchmark:
    """A module of ``benchmarks`` with ``figures``, and how it is run: in short and in full."""

    name: str
    short: Mapping[str, int]
    full: Mapping[str, int]

    def figures(
        self, *, is_full: bool, say: Callable[[str], None]
    ) -> Iterator[Figure | Unmeasured]:
        """Measure. Raises whatever goes wrong."""
        # Loaded when its turn comes: one that cannot be loaded leaves the others alone.
        module = importlib.import_module(f"benchmarks.{self.name}")
        yield from module.figures(**(self.full if is_full else self.short), say=say)


BENCHMARKS = (
    Benchmark("ingest", short={"rounds": 3}, full={"rounds": 9}),
    Benchmark("collect", short={"rounds": 2}, full={"rounds": 9}),
    Benchmark("scale", short={"rounds": 2}, full={"rounds": 9}),
    Benchmark("due", short={"rounds": 3}, full={"rounds": 9}),
    Benchmark("day", short={"rounds": 1}, full={"rounds": 3}),
    Benchmark("whole_run", short={"rounds": 2, "sets": 200}, full={"rounds": 3, "sets": 1000}),
)


@click.command()
@click.option(
    "--full", "is_full", is_flag=True, help="More and longer rounds: half an hour or more."
)
@click.option(
    "--only",
    type=click.Choice([each.name for each in BENCHMARKS]),
    multiple=True,
    help="Run this one; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
def main(*, is_full: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Run the benchmarks; print a table, and write build/bench.json."""
    # Whoever is told to end takes the processes and databases along that a benchmark made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    machine = this_machine()
    click.echo(str(machine), err=True)
    if machine.is_busy:
        click.echo("Something else runs on this machine: trust ratios at most.", err=True)
    chosen = [each for each in BENCHMARKS if not only or each.name in only]
    rows = list(run(chosen, is_full=is_full))
    written = json.dumps(document(machine, rows), indent=1)
    _WRITTEN_TO.parent.mkdir(exist_ok=True)
    _WRITTEN_TO.write_text(written + "\n")
    if as_json:
        click.echo(written)
    else:
        console = Console()
        console.width = max(console.width, _NARROWEST_COLUMNS)
        console.print(table(rows))
        console.print(str(machine), soft_wrap=True)
    sys.exit(any(isinstance(row.figure, Unmeasured) and row.figure.is_failure for row in rows))


def run(chosen: Sequence[Benchmark], *, is_full: bool) -> Iterator[Row]:
    """Run benchmarks one after the other, whatever becomes of each, and tell of it on stderr."""
    for position, benchmark in enumerate(chosen, start=1):
        began = time.monotonic()
        click.echo(f"[{position}/{len(chosen)}] {benchmark.name}", err=True)
        for figure in _measured(benchmark, is_full=is_full, say=_say_since(began)):
            yield Row(benchmark.name, figure)
        _say_since(began)("done")


def _measured(
    benchmark: Benchmark, *, is_full: bool, say: Callable[[str], None]
) -> Iterator[Figure | Unmeasured]:
    what = "all of it"
    try:
        for figure in benchmark.figures(is_full=is_full, say=say):
            what = "the rest"
            yield figure
    except NoPostgreSQL as error:
        yield Unmeasured(what, str(error))
    except Exception as error:  # noqa: BLE001  # the others are measured all the same
        traceback.print_exc()
        yield Unmeasured(what, repr(error), is_failure=True)


def _say_since(began: float) -> Callable[[str], None]:
    return lambda text: click.echo(f"  {time.monotonic() - began:5.0f} s  {text}", err=True)


if __name__ == "__main__":
    main()
