"""receiver demo: the main job, whole, on the sandbox and SQLite, in less than a minute."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from receiver.cli.demo.compare import Comparison, compare
from receiver.cli.demo.stage import Stage
from receiver.cli.demo.story import OTHER_ACCOUNT, PAGE_ACCOUNT, STORY
from receiver.cli.demo.watch import Sets, is_settled, table, watch
from receiver.cli.ending import closing_in_order, ending_in_order

_ACCOUNTS = [PAGE_ACCOUNT, OTHER_ACCOUNT]
_WATCH_SECONDS = 90.0


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C.")
def demo(*, keep: bool) -> None:
    """Create request sets, be notified, store the results, and fall back to polling.

    Starts the sandbox, the web service and the worker on SQLite in a temporary folder. Ends by
    itself, and with 0 only if nothing is missing, nothing is doubled and every result is in SQL.
    """
    console = Console()
    with ending_in_order(), tempfile.TemporaryDirectory(prefix="receiver-demo-") as folder:
        stage = Stage(Path(folder))
        with closing_in_order(stage):
            console.print("Starting the sandbox, the web service and the worker on SQLite.")
            stage.open(_ACCOUNTS)
            is_good = _play(stage, console)
            if keep:
                _keep(stage, console, folder=folder)
    sys.exit(0 if is_good else 1)


def _play(stage: Stage, console: Console) -> bool:
    ads = sum(chapter.ads for chapter in STORY)
    console.print(
        f"Creating {len(STORY)} request sets with {ads} ads on {len(_ACCOUNTS)} accounts. Most of "
        "their notifications are in trouble: those sets are found by polling.",
        highlight=False,
    )
    for chapter in STORY:
        stage.create(chapter)
    rows = watch(stage.sets, console, seconds=_WATCH_SECONDS)
    comparison = compare(stage.ledger(), stage.stored(_ACCOUNTS), intent_of=stage.intent_of)
    console.print()
    console.print(table(rows, seconds=_seconds))
    console.print()
    console.print(
        "verdict: what became of Facebook's notification; seconds: from create to results in SQL",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )
    return _conclude(console, comparison, rows)


def _conclude(console: Console, comparison: Comparison, rows: Sets) -> bool:
    for finding in comparison.findings:
        console.print(f"  {finding}", style="red")
    console.print(
        f"missing {comparison.missing}  doubled {comparison.doubled}", style="bold", highlight=False
    )
    is_whole = len(rows) == len(STORY) and all(is_settled(row) for row in rows)
    return is_whole and comparison.missing == 0 and comparison.doubled == 0


def _seconds(row: dict[str, Any]) -> float:
    """How long a set took, from its creation to its last result in SQL."""
    if row["collected_at"] is None:
        return float("nan")
    took = datetime.fromisoformat(row["collected_at"]) - datetime.fromisoformat(row["created_at"])
    return took.total_seconds()


def _keep(stage: Stage, console: Console, *, folder: str) -> None:
    console.print()
    for what, value in (
        ("receiver", stage.receiver_url),
        ("dashboard", f"{stage.receiver_url}/admin/"),
        ("sandbox", stage.sandbox_url),
        ("key", stage.key),
        ("folder", folder),
    ):
        console.print(f"{what:9} {value}", highlight=False, soft_wrap=True)
    console.print("Everything runs until Ctrl-C.")
    with suppress(KeyboardInterrupt):
        signal.pause()
