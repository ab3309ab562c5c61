"""receiver export: everything that meets some filters, as a file."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from receiver.assembly import Parts
from receiver.cli import filters
from receiver.cli.common import opened_parts, refuse_unknown_accounts
from receiver.cli.interruption import INTERRUPTED, Interrupted, Interruption, interruptible
from receiver.lifecycle.exports import formats, rows
from receiver.lifecycle.exports.formats import Format
from receiver.lifecycle.exports.rows import Pages
from receiver.web.admin.parameters import RequestFilters, SetFilters

_output = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default="-",
    help="The file to write; - is standard output.",
)
_format = click.option(
    "--format",
    "kind",
    type=click.Choice(["ndjson", "csv"]),
    help="One JSON object a line, or a table; by the file's ending, else ndjson.",
)


@click.group()
def export() -> None:
    """Export whole lists as NDJSON or CSV, in constant memory."""


@export.command()
@filters.set_filters
@filters.set_numbers
@_output
@_format
def sets(*, output: Path, kind: Format | None, **given: Any) -> None:
    """Export request sets, the first made first."""
    query = filters.read(SetFilters, given)

    def read(parts: Parts) -> Pages:
        refuse_unknown_accounts(parts, query.account)
        return rows.sets(parts.database, filters.of_sets(parts, query))

    _export(read, columns=rows.SET_COLUMNS, output=output, kind=kind)


@export.command()
@filters.request_filters
@_output
@_format
def requests(*, output: Path, kind: Format | None, **given: Any) -> None:
    """Export requests, by Facebook's ids, each with where it stood in what was sent."""
    given["request_set"] = given.pop("set")
    query = filters.read(RequestFilters, given)

    def read(parts: Parts) -> Pages:
        refuse_unknown_accounts(parts, query.account)
        return rows.requests_of(parts.database, filters.of_requests(parts, query))

    _export(read, columns=rows.REQUEST_COLUMNS, output=output, kind=kind)


def _export(read: Any, *, columns: tuple[str, ...], output: Path, kind: Format | None) -> None:
    chosen: Format = kind or ("csv" if output.suffix.lower() == ".csv" else "ndjson")
    try:
        with opened_parts() as parts, interruptible() as interruption, _bar() as bar:
            told = _telling(read(parts), bar, interruption)
            _write(formats.write(told, columns=columns, kind=chosen), output)
    except Interrupted:
        click.echo("Interrupted: nothing whole was written.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads has enough; nothing more can be said on this stream.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # it stays open until the end
        sys.exit(1)


class _Rate(ProgressColumn):
    """How many rows come a second; nothing before that can be told."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f} a second")


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} rows"),
        _Rate(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _telling(found: Pages, bar: Progress, interruption: Interruption) -> Pages:
    task = bar.add_task("rows", total=None)
    for page in found:
        interruption.check()
        yield page
        bar.update(task, advance=len(page))


def _write(pieces: Iterator[bytes], output: Path) -> None:
    """Write a file that is there only once it is whole; what is no file, as it comes."""
    target = output.resolve()
    try:
        if str(output) == "-":
            _copy(pieces, sys.stdout.buffer)
        elif target.exists() and not target.is_file():
            # A pipe or a device: whoever reads it must not find a file in its place.
            with target.open("wb") as device:
                _copy(pieces, device)
        else:
            _write_whole(pieces, target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error


def _write_whole(pieces: Iterator[bytes], target: Path) -> None:
    # A name of its own: two exports into one file do not write into each other's part of it.
    part = target.with_name(f".receiver-export-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            _copy(pieces, file)
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _copy(pieces: Iterator[bytes], file: BinaryIO) -> None:
    file.writelines(pieces)
    file.flush()
