"""receiver drill: the promises under fire, and what is left of them, in three numbers."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from receiver.cli.drill.audit import audit
from receiver.cli.drill.callers import Callers
from receiver.cli.drill.report import print_audit, print_counts, unmet_floors
from receiver.cli.drill.rows import read_rows, refuse_used
from receiver.cli.drill.stage import PATIENCE_SECONDS, Stage
from receiver.cli.drill.violence import Violence
from receiver.cli.ending import closing_in_order, ending_in_order

_REPORT_SECONDS = 10.0
_BLOWS_SECONDS = 60.0


@click.command()
@click.option("--minutes", type=click.FloatRange(0.1, 1440), default=5, show_default=True)
@click.option("--kill9", is_flag=True, help="Kill and pause our own processes as well.")
@click.option("--seed", type=int, help="Draws the same trouble again; by itself a new one.")
@click.option(
    "--database-url",
    help="An empty PostgreSQL database of its own. By itself SQLite in a temporary folder.",
)
@click.option("--broker-url", help="Redis or RabbitMQ: the workers run Celery on it.")
def drill(
    *,
    minutes: float,
    kill9: bool,
    seed: int | None,
    database_url: str | None,
    broker_url: str | None,
) -> None:
    """Break everything at random, then count what was lost, is missing or was doubled.

    Runs a sandbox, two web processes and two workers. Ends with 0 only if nothing was lost, is
    missing, is stuck or was doubled, and if there was enough trouble for that to mean something.
    """
    console = Console(highlight=False, soft_wrap=True)
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311  # to be told, not secret
    console.print(f"seed {seed}, {minutes:g} minutes, kill -9 {'on' if kill9 else 'off'}")
    with ending_in_order(), tempfile.TemporaryDirectory(prefix="receiver-drill-") as folder:
        url = database_url or f"sqlite:///{folder}/receiver.db"
        refuse_used(url)
        stage = Stage(
            Path(folder),
            database_url=url,
            broker_url=broker_url,
            settle_seconds=_settle_seconds(minutes),
        )
        with closing_in_order(stage):
            stage.open()
            is_good = _play(stage, console, seconds=minutes * 60, kills=kill9, seed=seed)
    sys.exit(0 if is_good else 1)


def _settle_seconds(minutes: float) -> float:
    """How long a lost create is looked for before it is sent again: less in a drill of seconds."""
    return 20 if minutes >= 1 else 8


def _play(stage: Stage, console: Console, *, seconds: float, kills: bool, seed: int) -> bool:
    callers = Callers(stage, seed=seed)
    # Some pauses outlast a lease, and none the time after which a lost create may be sent again.
    longest_seconds = _settle_seconds(seconds / 60) - 2
    violence = Violence(stage, longest_pause_seconds=longest_seconds, seed=seed)
    stage.begin_trouble(seed=seed)
    callers.start()
    if kills:
        violence.start()
    _wait(console, callers, violence, seconds=seconds)
    if kills:
        _wait_for_each_blow(violence)
    violence.stop()
    stage.end_trouble()
    callers.stop_creating()
    console.print("The trouble is over: waiting until nothing is open.")
    callers.settle()
    _wait_until_closed(stage, console)
    found = audit(stage.ledger(), read_rows(stage.database_url), callers.heard())
    met = stage.met_trouble()
    print_counts(console, met, violence.done, creates=callers.created)
    unmet = unmet_floors(met, violence.done if kills else None, minutes=seconds / 60)
    for name in unmet:
        console.print(f"Too little trouble to prove anything: {name}", style="red")
    print_audit(console, found)
    return found.is_whole and not unmet


def _wait(console: Console, callers: Callers, violence: Violence, *, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(_REPORT_SECONDS, left))
        console.print(
            f"{max(0.0, ends - time.monotonic()):5.0f} s left: {callers.created} creates, "
            f"{callers.waiting} of them without an answer, {violence.done.total()} blows"
        )


def _wait_for_each_blow(violence: Violence) -> None:
    """Let a short drill on a busy machine go on until every kind of blow was dealt."""
    ends = time.monotonic() + _BLOWS_SECONDS
    while not violence.has_dealt_each and time.monotonic() < ends:
        time.sleep(0.2)


def _wait_until_closed(stage: Stage, console: Console) -> None:
    """Wait until every set is collected, creating one more now and then: a witness for the rest."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        still = [row for row in read_rows(stage.database_url).sets if not row.is_closed]
        if not still:
            return
        stage.create_witnesses()
        console.print(f"  sets that are open yet: {len(still)}")
        time.sleep(3)
