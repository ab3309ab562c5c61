"""Measure exports: rows a second and the most memory, beside a plain reading of the same rows.

A database is filled as for the lists (``benchmarks.admin_rows``), and ``receiver export`` runs as a
process of its own on it. The floor is a process that reads the same columns of the same rows page
by page, and writes them without lineage or words.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import click

from benchmarks import admin_rows
from benchmarks.databases import new_database
from benchmarks.installation import variables
from receiver.cli.processes import plain_environment
from receiver.store.database import Database

_FLOOR = """
import sys, orjson
from sqlalchemy import select
from receiver.store.database import Database
from receiver.store.models import Request
database = Database(sys.argv[1], timeout_seconds=30)
names = [column for column in Request.__table__.columns if column.name not in ("input", "result")]
after = 0
while True:
    with database.reading() as session:
        page = session.execute(
            select(*names).where(Request.id > after).order_by(Request.id).limit(1000)
        ).mappings().all()
    if not page:
        break
    after = page[-1]["id"]
    sys.stdout.buffer.write(b"".join(orjson.dumps(dict(row)) + bytes([10]) for row in page))
"""


@dataclass(frozen=True)
class Measure:
    """One export: how many lines it wrote, how long that took, and its process's most memory."""

    what: str
    lines: int
    seconds: float
    lines_a_second: int
    peak_mib: int


@click.command()
@click.option("--database-url", help="A filled database; without it, a SQLite file is filled.")
@click.option("--rows", default=1_000_000, show_default=True, help="Request rows to fill it with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def main(*, database_url: str | None, rows: int, as_json: bool) -> None:
    """Export everything, as lines and as a table, and a plain reading beside it."""
    with _database(database_url, rows=rows) as url:
        measures = [_measure(what, command, url) for what, command in _commands(url)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in measures], indent=2))
        return
    for one in measures:
        click.echo(
            f"{one.what:26} {one.lines:>10,} lines  {one.seconds:>7.1f} s  "
            f"{one.lines_a_second:>8,} a second  at the most {one.peak_mib} MiB"
        )


def _commands(url: str) -> Iterator[tuple[str, Sequence[str]]]:
    yield "floor: a plain reading", [sys.executable, "-c", _FLOOR, url]
    export = [sys.executable, "-m", "receiver", "export"]
    yield "requests, ndjson", [*export, "requests"]
    yield "requests, csv", [*export, "requests", "--format", "csv"]
    yield "failed requests, csv", [*export, "requests", "--status", "error", "--format", "csv"]
    yield "sets, ndjson", [*export, "sets"]


@contextmanager
def _database(url: str | None, *, rows: int) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with (
        tempfile.TemporaryDirectory(prefix="receiver-bench-") as folder,
        new_database("sqlite", Path(folder), label="exports") as made,
    ):
        with closing(Database(made, timeout_seconds=60)) as database:
            admin_rows.fill(database, rows=rows)
        yield made


def _measure(what: str, command: Sequence[str], url: str) -> Measure:
    """Run a command to its end, and tell what it took of it alone."""
    with tempfile.TemporaryFile() as written:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603  # its own commands only
            command, stdout=written, stderr=subprocess.DEVNULL, env=_environment(url)
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        if process.returncode:
            raise click.ClickException(f"{what} ended with {process.returncode}.")
        lines = _lines(written)
    return Measure(
        what,
        lines=lines,
        seconds=round(seconds, 2),
        lines_a_second=round(lines / seconds),
        peak_mib=_mib(usage),
    )


def _lines(file: IO[bytes]) -> int:
    file.seek(0)
    return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _mib(usage: resource.struct_rusage) -> int:
    return round(usage.ru_maxrss / 1024)


def _environment(url: str) -> dict[str, str]:
    return {
        **plain_environment(),
        **variables(url, public_url="http://receiver.test"),
        "RECEIVER_DATABASE_TIMEOUT_SECONDS": "60",
    }


if __name__ == "__main__":
    main()
