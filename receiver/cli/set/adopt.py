"""receiver set adopt: say that a set at Facebook is one of ours."""

from __future__ import annotations

import click

from receiver.cli.common import COMMAND
from receiver.cli.set.deciding import NUMBER, deciding
from receiver.lifecycle.actions import perform


@click.command()
@click.argument("request_set", type=NUMBER)
@click.argument("facebook_id", type=NUMBER)
def adopt(request_set: int, facebook_id: int) -> None:
    """Say that Facebook's set FACEBOOK_ID is the set REQUEST_SET.

    Facebook has to show it with as many requests as were asked for. The worker collects it then.
    """
    with deciding(request_set) as (tools, row):
        done = perform.adopt(tools, row, facebook_id=facebook_id, by=COMMAND)
    click.echo(done.note)
