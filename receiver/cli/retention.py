"""receiver retention: remove what is older than it is to be kept."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from receiver.assembly import Parts
from receiver.cli.common import WrongUse, opened_parts
from receiver.cli.interruption import INTERRUPTED, Interrupted, Interruption, interruptible
from receiver.lifecycle import retention as keeping
from receiver.lifecycle.retention import Removed
from receiver.settings import Settings
from receiver.store.database import DatabaseAway

_LONGEST_DAYS = 36_500


@click.command()
@click.option(
    "--older-than-days",
    type=click.IntRange(1, _LONGEST_DAYS),
    help="What has been over for so many days. RECEIVER_RETENTION_DAYS by itself.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would go; remove nothing.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def retention(
    *, older_than_days: int | None, is_dry: bool, is_confirmed: bool, as_json: bool
) -> None:
    """Remove sets that have been over for long, whole, in small steps.

    What has no end, is doubled or odd, or is still needed by another set or a plan, stays.
    """
    with opened_parts() as parts:
        days = older_than_days or _days_of(parts.settings)
        before = keeping.kept_from(parts.database, parts.now() - timedelta(days=days))
        if not (is_dry or is_confirmed):
            click.confirm(
                f"Remove what has been over since before {before:%Y-%m-%d}?", err=True, abort=True
            )
        # Not around the question: Ctrl-C there is an answer.
        with interruptible() as interruption:
            removed, is_interrupted = _run(parts, before, interruption, is_dry=is_dry)
    if as_json:
        click.echo(json.dumps(_document(removed, before, is_dry=is_dry), indent=2))
    else:
        click.echo(f"{'Would remove' if is_dry else 'Removed'} {_in_words(removed)}.")
    sys.exit(INTERRUPTED if is_interrupted else 0)


def _days_of(settings: Settings) -> int:
    if not settings.retention_days:
        raise WrongUse("Say how old: --older-than-days, or RECEIVER_RETENTION_DAYS.")
    return settings.retention_days


def _run(
    parts: Parts, before: datetime, interruption: Interruption, *, is_dry: bool
) -> tuple[Removed, bool]:
    """Take one step after another; return what they removed, and whether there were more."""
    steps = keeping.preview if is_dry else keeping.steps
    removed = Removed()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task(_in_words(removed))
        try:
            for step in steps(parts.database, before=before):
                removed += step
                bar.update(task, description=_in_words(removed))
                interruption.sleep(0 if is_dry else keeping.PAUSE_SECONDS)
        except Interrupted:
            click.echo("Interrupted: what is not removed yet stays.", err=True)
            return removed, True
        except DatabaseAway:
            click.echo(f"Removed {_in_words(removed)} so far.", err=True)
            raise
    return removed, False


def _in_words(removed: Removed) -> str:
    partitions = ", ".join(removed.partitions)
    return (
        f"{_counted(removed.sets, 'set')} with {_counted(removed.requests, 'request')}, "
        f"{_counted(removed.plans, 'plan')}, "
        f"{_counted(removed.notifications, 'notification')} of no set"
        + (f"; partitions {partitions}" if partitions else "")
    )


def _counted(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count:,} {word}s"


def _document(removed: Removed, before: datetime, *, is_dry: bool) -> dict[str, Any]:
    return {
        "before": before.isoformat(),
        "is_dry_run": is_dry,
        **vars(removed),
        "partitions": list(removed.partitions),
    }
