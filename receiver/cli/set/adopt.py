"""receiver set adopt: say that a set at Facebook is one of ours."""

from __future__ import annotations

import click

from receiver.cli.set.deciding import NUMBER, deciding
from receiver.lifecycle import decide


@click.command()
@click.argument("request_set", type=NUMBER)
@click.argument("facebook_id", type=NUMBER)
def adopt(request_set: int, facebook_id: int) -> None:
    """Say that Facebook's set FACEBOOK_ID is the set REQUEST_SET.

    Facebook has to show it with as many requests as were asked for. The worker collects it then.
    """
    with deciding() as tools:
        decide.adopt(tools, request_set, facebook_id=facebook_id)
    click.echo(f"Set {request_set} is open as {facebook_id}: the worker collects its results.")
