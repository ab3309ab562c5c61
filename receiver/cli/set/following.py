"""Follow sets until each has its end: a live table on a terminal, a line a change elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import click
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from receiver.cli.interruption import Interruption
from receiver.cli.set.words import number_of
from receiver.store import progress
from receiver.store.database import Database
from receiver.store.progress import SetProgress

_PAUSE_SECONDS = 0.5
_BAR_WIDTH = 30
_OTHER_LINES = 4
"""The lines of a terminal that the table needs for its heading and its end."""


class Overdue(Exception):
    """Time is up and not every set has its end; ``rows`` is how far they are."""

    def __init__(self, rows: list[SetProgress]) -> None:
        super().__init__("Not every set came to its end in time.")
        self.rows = rows


class View(Protocol):
    """Whoever shows a person, or a program, how sets come along."""

    def showing(self) -> AbstractContextManager[object]:
        """The block in which they are shown."""

    def update(self, rows: Sequence[SetProgress]) -> None:
        """Show how far the sets are now."""


def follow(
    database: Database,
    numbers: Sequence[int],
    *,
    view: View,
    interruption: Interruption,
    timeout_seconds: float | None = None,
) -> list[SetProgress]:
    """Read how far sets are until each is collected, rejected or stuck, and return that.

    Raises Overdue, Interrupted, DatabaseAway.
    """
    ends = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    rows: dict[int, SetProgress] = {}
    pending = list(numbers)
    with view.showing():
        while pending:
            with database.reading() as session:
                rows |= {row.id: row for row in progress.of_sets(session, pending)}
            view.update([rows[number] for number in numbers if number in rows])
            pending = [one for one in pending if one in rows and not rows[one].is_at_end]
            if pending:
                _pause(list(rows.values()), ends=ends, interruption=interruption)
    return [rows[number] for number in numbers if number in rows]


def _pause(rows: list[SetProgress], *, ends: float | None, interruption: Interruption) -> None:
    left_seconds = _PAUSE_SECONDS if ends is None else ends - time.monotonic()
    if left_seconds <= 0:
        raise Overdue(rows)
    interruption.sleep(min(left_seconds, _PAUSE_SECONDS))


def view_for(console: Console) -> View:
    """Return the view that fits where a console writes to."""
    return Bars(console) if console.is_terminal else Lines(console)


class Bars:
    """A table with a bar a set: as many as the terminal has lines for, those at work first."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def showing(self) -> AbstractContextManager[object]:
        return self._live

    def update(self, rows: Sequence[SetProgress]) -> None:
        self._live.update(self._table(rows), refresh=True)

    def _table(self, rows: Sequence[SetProgress]) -> Table:
        most = max(1, self._console.height - _OTHER_LINES)
        shown = sorted(rows, key=lambda row: row.is_at_end)[:most]
        table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
        for heading in ("set", "name", "", "done", "failed", "state"):
            table.add_column(heading, no_wrap=True, overflow="ellipsis")
        for row in sorted(shown, key=lambda row: row.id):
            table.add_row(*_cells(row))
        table.caption = _summary(rows, hidden=len(rows) - len(shown))
        return table


def _cells(row: SetProgress) -> tuple[Any, ...]:
    bar = ProgressBar(total=max(row.total, 1), completed=row.done, width=_BAR_WIDTH)
    failed = Text(str(row.failed), style="red" if row.failed else "")
    return str(row.id), Text(row.name), bar, f"{row.done}/{row.total}", failed, row.state


def _summary(rows: Sequence[SetProgress], *, hidden: int) -> str:
    ended = sum(row.is_at_end for row in rows)
    text = f"{ended} of {number_of(len(rows), 'set')} at an end"
    return f"{text}; {hidden} not shown" if hidden else text


def _state(row: SetProgress) -> tuple[Any, ...]:
    """What makes a line when it changes."""
    return (
        row.state,
        row.facebook_id,
        row.total,
        row.succeeded,
        row.failed,
        row.canceled,
        row.verdict,
    )


class _Changes:
    """Remembers what was shown of each set."""

    def __init__(self) -> None:
        self._shown: dict[int, tuple[Any, ...]] = {}

    def of(self, rows: Sequence[SetProgress]) -> list[SetProgress]:
        """Return the sets that are not as they were shown last."""
        changed = [row for row in rows if self._shown.get(row.id) != _state(row)]
        self._shown |= {row.id: _state(row) for row in changed}
        return changed


class Lines:
    """A line whenever something of a set changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._changes = _Changes()
        self._began = time.monotonic()

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def update(self, rows: Sequence[SetProgress]) -> None:
        for row in self._changes.of(rows):
            seconds = time.monotonic() - self._began
            self._console.print(
                f"{seconds:7.1f} s  set {row.id} ({row.name}): {in_words(row)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


def in_words(row: SetProgress) -> str:
    """Say how far a set is, in half a sentence."""
    text = f"{row.state}, {row.done} of {row.total} done"
    if row.failed:
        text += f", {row.failed} failed"
    if row.canceled:
        text += f", {row.canceled} canceled"
    return f"{text}: {row.state_reason}" if row.state_reason else text


class JsonLines:
    """A JSON document on a line of its own whenever something of a set changes."""

    def __init__(self) -> None:
        self._changes = _Changes()

    def showing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def update(self, rows: Sequence[SetProgress]) -> None:
        for row in self._changes.of(rows):
            click.echo(json.dumps(as_json(row)))


def as_json(row: SetProgress) -> dict[str, Any]:
    """Return how far a set is: Facebook's id as a text, its counts null until it showed them."""
    return {
        "number": row.id,
        "facebook_id": None if row.facebook_id is None else str(row.facebook_id),
        "account": f"act_{row.account_id}",
        "name": row.name,
        "state": row.state,
        "reason": row.state_reason,
        "ads": row.spec_count,
        "total_count": row.total_count,
        "success_count": row.success_count,
        "error_count": row.error_count,
        "canceled_count": row.canceled_count,
        "verdict": row.verdict,
    }
