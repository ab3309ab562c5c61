"""receiver set watch: follow sets until each has its end."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from rich.console import Console

from receiver.cli.common import ACCOUNT, opened_parts, refuse_unknown_accounts
from receiver.cli.interruption import INTERRUPTED, Interrupted, interruptible
from receiver.cli.set.deciding import NUMBER
from receiver.cli.set.following import JsonLines, Overdue, follow, view_for
from receiver.store import progress
from receiver.store.database import Database

_MOST = 1000
_TIME_IS_UP = 4


@click.command()
@click.argument("numbers", metavar="NUMBER...", type=NUMBER, nargs=-1)
@click.option("--account", "account_id", type=ACCOUNT, help="Every set of this ad account at work.")
@click.option(
    "--timeout-seconds", type=click.FloatRange(min=0), help="End with code 4 after so long."
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for every change.")
def watch(
    numbers: tuple[int, ...],
    *,
    account_id: int | None,
    timeout_seconds: float | None,
    as_json: bool,
) -> None:
    """Follow sets, by our NUMBER or Facebook's id, until each is collected, rejected or stuck.

    Ends with 0 if all of their requests succeeded, else with 1.
    """
    if not numbers and account_id is None:
        raise click.UsageError("Name the sets, or an --account.")
    view = JsonLines() if as_json else view_for(Console())
    with opened_parts() as parts, interruptible() as interruption:
        if account_id is not None:
            refuse_unknown_accounts(parts, [account_id])
        try:
            found = _find(parts.database, numbers, account_id=account_id)
            rows = follow(
                parts.database,
                found,
                view=view,
                interruption=interruption,
                timeout_seconds=timeout_seconds,
            )
        except Overdue as overdue:
            click.echo(str(overdue), err=True)
            sys.exit(_TIME_IS_UP)
        except (Interrupted, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
    if not rows:
        click.echo("No set is at work.", err=True)
    sys.exit(1 if any(row.went_wrong for row in rows) else 0)


def _find(database: Database, numbers: Sequence[int], *, account_id: int | None) -> list[int]:
    """Return our numbers of the sets that are meant, each once."""
    with database.reading() as session:
        found = {number: progress.find_id(session, number) for number in numbers}
        unknown = [number for number, one in found.items() if one is None]
        if unknown:
            raise click.UsageError(f"There is no set {unknown[0]}.")
        meant = [one for one in found.values() if one is not None]
        if account_id is not None:
            meant += progress.ids_without_end(session, account_id, limit=_MOST)
    return list(dict.fromkeys(meant))
