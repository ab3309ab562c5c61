"""receiver set stop: leave what an action on many sets has not done yet."""

from __future__ import annotations

import click

from receiver.cli.common import COMMAND, opened_parts
from receiver.lifecycle import bulk
from receiver.lifecycle.bulk import NoSuchPlan, NotNow


@click.command()
@click.argument("plan")
def stop(plan: str) -> None:
    """Leave what a PLAN of the command line has not done yet.

    'receiver set act' and 'receiver move-host' name their plan when they are interrupted.
    """
    with opened_parts() as parts:
        try:
            bulk.stop(parts.tools, plan, by=COMMAND)
        except (NoSuchPlan, NotNow) as error:
            raise click.ClickException(str(error)) from error
    click.echo("Stopped: what was not done yet is left.")
