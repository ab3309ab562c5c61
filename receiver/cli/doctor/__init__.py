"""receiver doctor: examine a whole installation, and say of each thing what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from receiver.assembly import Parts, build
from receiver.cli.common import ACCOUNT
from receiver.cli.doctor.facebook import Facebook, not_examined
from receiver.cli.doctor.finding import Finding, State, Step, failed
from receiver.cli.doctor.inside import Inside
from receiver.cli.doctor.outside import Outside
from receiver.settings import load_settings
from receiver.store.database import DatabaseAway

_STYLES = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.FAILED: "bold red",
    State.SKIPPED: "dim",
}


@click.command()
@click.option(
    "--account", "account_ids", type=ACCOUNT, multiple=True, help="Only this ad account's token."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def doctor(*, account_ids: tuple[int, ...], as_json: bool) -> None:
    """Examine the installation, and say what to do.

    Ends with 0 if nothing has to be done; what could not be examined is shown as skipped.
    """
    with closing(build(load_settings())) as parts:
        found = _examine(parts, account_ids)
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], indent=2))
    else:
        Console().print(_table(found))
    sys.exit(0 if all(each.is_well for each in found) else 1)


def _examine(parts: Parts, account_ids: tuple[int, ...]) -> list[Finding]:
    """Take every step, and show on standard error which one it is."""
    inside = Inside(parts)
    columns = (SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        return [
            *_take_all(progress, inside.steps()),
            *_take_all(progress, Outside(parts).steps()),
            *_take_all(progress, _steps_at_facebook(parts, account_ids, inside)),
        ]


def _steps_at_facebook(
    parts: Parts, account_ids: tuple[int, ...], inside: Inside
) -> Sequence[Step]:
    """Return a step for each token; which there are, only the database knows."""
    try:
        if inside.has_tables:
            return Facebook(parts, account_ids).steps()
    except DatabaseAway:
        pass
    return [Step("accounts", not_examined)]


def _take_all(progress: Progress, steps: Sequence[Step]) -> list[Finding]:
    task = progress.add_task("", total=len(steps))
    found: list[Finding] = []
    for step in steps:
        progress.update(task, description=escape(step.title))
        found += _take(step)
        progress.advance(task)
    progress.remove_task(task)
    return found


def _take(step: Step) -> list[Finding]:
    """Take a step. Whatever goes wrong with it, the others are worth taking."""
    try:
        return step.examine()
    except DatabaseAway as away:
        advice = "Check RECEIVER_DATABASE_URL, and that the database runs and lets us in."
        return [failed(step.title, f"The database went away: {away}.", advice=advice)]
    except Exception as error:  # noqa: BLE001  # the report is what shows it
        # Only the kind: the text of an error that nobody foresaw may hold anything.
        found = f"It could not be examined: an unforeseen {type(error).__name__}."
        return [failed(step.title, found, advice="Please report this as a bug.")]


def _table(found: list[Finding]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Examined", overflow="fold")
    table.add_column("State", no_wrap=True)
    table.add_column("Found", overflow="fold", ratio=1)
    table.add_column("What to do", overflow="fold", ratio=1)
    for each in found:
        shown = each.as_json()
        state = f"[{_STYLES[each.state]}]{each.state}[/]"
        table.add_row(
            escape(shown["check"]), state, escape(shown["found"]), escape(shown["advice"])
        )
    return table
