"""receiver set act: do something to sets, by their numbers or by filters."""

from __future__ import annotations

from typing import Any, get_args

import click

from receiver.cli import filters
from receiver.cli.acting import plan_and_do
from receiver.cli.set.deciding import NUMBER
from receiver.web.admin.parameters import ActionName, SetFilters


@click.command()
@click.argument("action", type=click.Choice(get_args(ActionName)))
@click.argument("numbers", metavar="[NUMBER]...", type=NUMBER, nargs=-1)
@filters.set_filters
@click.option("--yes", "is_confirmed", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON about how it ended.")
def act(
    action: str, numbers: tuple[int, ...], *, is_confirmed: bool, as_json: bool, **given: Any
) -> None:
    """Do something to sets: those with a NUMBER, or all that meet the filters.

    look asks Facebook now; collect reads every result again; cancel cancels what is left; repoint
    tells Facebook the notification URL under the present public URL and key; resubmit sends only
    the failed requests again, as a new set; replay tells the caller again. What it touches and
    costs is shown first. Ends with 1 if any was refused.
    """
    query = filters.read(SetFilters, given)
    if not numbers and query == SetFilters():
        raise click.UsageError(
            "Name the sets, or a filter; for every set: --since 2000-01-01T00:00:00Z."
        )
    plan_and_do(action, query, numbers=numbers, is_confirmed=is_confirmed, as_json=as_json)
