"""receiver set abandon: give up a set whose outcome is not known."""

from __future__ import annotations

import click

from receiver.cli.common import COMMAND
from receiver.cli.set.deciding import NUMBER, deciding
from receiver.lifecycle.actions import perform


@click.command()
@click.argument("request_set", type=NUMBER)
@click.option("--reason", default="A person gave it up.", help="Why, for those who read it later.")
def abandon(request_set: int, *, reason: str) -> None:
    """Give up the set REQUEST_SET, whose outcome is not known: it is never sent again."""
    with deciding(request_set) as (tools, row):
        done = perform.abandon(tools, row, reason=reason, by=COMMAND)
    click.echo(done.note)
