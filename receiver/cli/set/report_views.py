"""How sending a file is shown: while it lasts, at its end, as JSON, and as an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from receiver.cli.interruption import INTERRUPTED
from receiver.cli.set import sending
from receiver.cli.set.sending import NOT_SENT, Report, Result
from receiver.cli.set.splitting import Split, Wanted
from receiver.cli.set.words import number_of
from receiver.store import intents

_FAILED, _UNRESOLVED = 1, 3
_COUNTS = ("success_count", "error_count", "canceled_count")

GO_ON = "Run {how} to go on: the sets that were made are joined, never made twice."
INSTEAD_OF_AGAIN = "--idempotency-prefix {prefix} instead of --again"


class View(sending.View, Protocol):
    """A view that is on the screen for a block."""

    def showing(self) -> AbstractContextManager[object]:
        """The block in which it is shown."""


def view_for(console: Console, split: Split) -> View:
    """Return the view that fits where a console writes to."""
    return Bars(console, split) if console.is_terminal else Lines(console, split)


class Bars:
    """A bar for the sets and one for their ads, with what went wrong counted."""

    def __init__(self, console: Console, split: Split) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
        )
        self._sets = self._progress.add_task("sets", total=len(split.parts), note="")
        self._ads = self._progress.add_task("ads", total=split.ads, note="")
        self._lost = self._unresolved = 0

    def showing(self) -> AbstractContextManager[object]:
        return self._progress

    def show(self, result: Result) -> None:
        self._lost += result.is_lost
        self._unresolved += result.is_unresolved
        self._progress.update(self._sets, advance=1, note=self._note())
        self._progress.update(self._ads, advance=result.part.ads)

    def wait(self, reason: str, until: datetime | None) -> None:
        note = self._note() if until is None else _waiting(reason, until)
        self._progress.update(self._sets, note=note)

    def _note(self) -> str:
        notes = [f"{self._lost} refused"] if self._lost else []
        if self._unresolved:
            notes.append(f"{self._unresolved} being found out")
        return ", ".join(notes)


class Lines:
    """A line for each set, and for each wait."""

    def __init__(self, console: Console, split: Split) -> None:
        self._console = console
        self._parts = len(split.parts)

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def show(self, result: Result) -> None:
        self._print(
            f"{result.part.number}/{self._parts} ({_rows(result)}): {_outcome_in_words(result)}"
        )

    def wait(self, reason: str, until: datetime | None) -> None:
        if until is not None:
            self._print(_waiting(reason, until))

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _waiting(reason: str, until: datetime) -> str:
    return f"Waiting until {until:%H:%M:%S} UTC: {reason}"


def _rows(result: Result) -> str:
    return f"rows {result.part.first_row} to {result.part.last_row}"


def _outcome_in_words(result: Result) -> str:
    if result.is_unresolved:
        return f"set {result.request_set_id} is being found out: {result.reason}"
    if result.is_lost:
        return f"refused: {result.reason}"
    made = "was made before" if result.is_joined else "was created"
    return f"set {result.request_set_id} {made} as {result.facebook_id}"


def print_report(console: Console, report: Report, wanted: Wanted, *, with_counts: bool) -> None:
    """Print a row for each set, and the sum of them; with counts, how many ads succeeded."""
    headings = ["part", "set", "Facebook's id", "rows", "state"]
    headings += ["succeeded", "failed", "canceled"] if with_counts else []
    table = Table(*headings, "reason", box=SIMPLE_HEAD)
    for result in report.results:
        table.add_row(*_cells(result, with_counts=with_counts))
    console.print(table)
    console.print(_summary(report, wanted), highlight=False, markup=False, soft_wrap=True)
    if with_counts:
        console.print(_totals_in_words(report), highlight=False, soft_wrap=True, style="bold")


def _cells(result: Result, *, with_counts: bool) -> list[Text | str]:
    number, set_id = result.request_set_id, result.facebook_id
    counts = [str(_count(result, name)) for name in _COUNTS] if with_counts else []
    return [
        str(result.part.number),
        "" if number is None else str(number),
        "" if set_id is None else str(set_id),
        f"{result.part.first_row}-{result.part.last_row}",
        _state_in_words(result),
        *counts,
        Text(result.reason or ""),
    ]


def _state_in_words(result: Result) -> str:
    if result.is_unresolved:
        return f"{result.state}: being found out"
    word = "not sent" if result.state == NOT_SENT else result.state
    return f"{word}, made before" if result.is_joined else word


def _count(result: Result, name: str) -> int:
    """Return one of Facebook's counts of a set, 0 until it has shown it."""
    return getattr(result.progress, name, None) or 0


def _summary(report: Report, wanted: Wanted) -> str:
    results = report.results
    refused = sum(one.state == intents.REJECTED for one in results)
    unsent = sum(one.state == NOT_SENT for one in results)
    unresolved = sum(one.is_unresolved for one in results)
    joined = sum(one.is_joined for one in results)
    there = len(results) - refused - unsent - unresolved
    sentence = f"act_{wanted.account_id}: {there} of {number_of(len(results), 'set')} at Facebook"
    for count, words in (
        (joined, "made before"),
        (refused, "refused"),
        (unresolved, "being found out"),
        (unsent, "not sent"),
    ):
        sentence += f", {count} {words}" if count else ""
    return f"{sentence}."


def _totals(report: Report) -> dict[str, int]:
    return {name: sum(_count(one, name) for one in report.results) for name in _COUNTS}


def _totals_in_words(report: Report) -> str:
    ads = sum(one.part.ads for one in report.results)
    succeeded, failed, canceled = _totals(report).values()
    return f"{number_of(ads, 'ad')}: {succeeded} succeeded, {failed} failed, {canceled} canceled"


def as_json(report: Report, wanted: Wanted, *, prefix: str) -> dict[str, Any]:
    """Return the report as JSON: our numbers as numbers, Facebook's ids as texts."""
    return {
        "account": f"act_{wanted.account_id}",
        "idempotency_prefix": prefix,
        "is_interrupted": report.is_interrupted,
        "stopped_by": report.stopped_by,
        "ads": sum(one.part.ads for one in report.results),
        **_totals(report),
        "sets": [_set_as_json(one, wanted, parts=len(report.results)) for one in report.results],
    }


def _set_as_json(result: Result, wanted: Wanted, *, parts: int) -> dict[str, Any]:
    set_id = result.facebook_id
    return {
        "part": result.part.number,
        "number": result.request_set_id,
        "facebook_id": None if set_id is None else str(set_id),
        "name": f"{wanted.name} {result.part.number}/{parts}",
        "state": result.state,
        "is_joined": result.is_joined,
        "first_row": result.part.first_row,
        "last_row": result.part.last_row,
        "reason": result.reason,
        **{name: getattr(result.progress, name, None) for name in _COUNTS},
    }


def advice(report: Report, *, prefix: str | None) -> Iterator[str]:
    """Say why the sending ended early, and how to go on; ``prefix`` is that of ``--again``."""
    if report.stopped_by is not None:
        yield f"Error: {report.stopped_by}"
    if report.is_whole:
        if report.is_interrupted:
            numbers = " ".join(map(str, report.numbers))
            yield f"Every set was sent; go on waiting with: receiver set watch {numbers}"
        return
    how = "the same command"
    if prefix is not None:
        how += f" with {INSTEAD_OF_AGAIN.format(prefix=prefix)}"
    yield GO_ON.format(how=how)


def exit_code(report: Report, *, with_counts: bool) -> int:
    """Return what the command ends with. What is not known goes before what went wrong."""
    if report.is_interrupted:
        return INTERRUPTED
    if any(one.is_unresolved for one in report.results):
        return _UNRESOLVED
    went_wrong = any(
        one.is_lost or (with_counts and one.progress is not None and one.progress.went_wrong)
        for one in report.results
    )
    return _FAILED if went_wrong or report.stopped_by is not None else 0
