"""Show how the sets come along: live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

_PAUSE_SECONDS = 0.25

Sets = Sequence[dict[str, Any]]
"""Sets as the admin API lists them."""


def is_settled(row: dict[str, Any]) -> bool:
    """Tell whether nothing more is to be learned of a set."""
    return bool(row["state"] == "collected" and row["verdict"] != "pending")


def watch(read: Callable[[], Sets], console: Console, *, seconds: float) -> Sets:
    """Show the sets until all of them are settled, or the time is over, and return them."""
    view: Bars | Lines = Bars(console) if console.is_terminal else Lines(console)
    ends = time.monotonic() + seconds
    with view.showing():
        while True:
            rows = read()
            view.update(rows)
            if all(is_settled(row) for row in rows) or time.monotonic() > ends:
                return rows
            time.sleep(_PAUSE_SECONDS)


class Bars:
    """A bar for each set."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def showing(self) -> AbstractContextManager[object]:
        """The block in which the bars are on the screen."""
        return self._progress

    def update(self, rows: Sets) -> None:
        for row in rows:
            if row["id"] not in self._tasks:
                self._tasks[row["id"]] = self._progress.add_task(
                    row["name"], total=row["spec_count"], state=""
                )
            self._progress.update(self._tasks[row["id"]], completed=_done(row), state=_state(row))


class Lines:
    """A line whenever a set moves on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._shown: dict[str, str] = {}

    def showing(self) -> AbstractContextManager[object]:
        """Lines need no preparation."""
        return nullcontext()

    def update(self, rows: Sets) -> None:
        for row in rows:
            state = _state(row)
            if self._shown.get(row["id"]) != state:
                self._shown[row["id"]] = state
                seconds = time.monotonic() - self._began
                self._console.print(
                    f"{seconds:6.1f} s  {row['name']}: {state}", highlight=False, soft_wrap=True
                )


def _done(row: dict[str, Any]) -> int:
    counts = (row["success_count"], row["error_count"], row["canceled_count"])
    return sum(count or 0 for count in counts)


def _state(row: dict[str, Any]) -> str:
    if row["state"] != "collected":
        return str(row["state"])
    return f"collected (learned by {row['learned_by']}, notification {row['verdict']})"


def table(rows: Sets, *, seconds: Callable[[dict[str, Any]], float]) -> Table:
    """The sets in the order in which they were created, with how each one ended."""
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    shown.add_column("set", no_wrap=True)
    for heading in ("requests", "succeeded", "failed"):
        shown.add_column(heading, justify="right")
    shown.add_column("learned by", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("seconds", justify="right")
    for row in rows:
        shown.add_row(
            row["name"],
            str(row["total_count"]),
            str(row["success_count"]),
            str(row["error_count"]),
            str(row["learned_by"]),
            row["verdict"],
            f"{seconds(row):.1f}",
        )
    return shown
