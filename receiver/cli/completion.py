"""receiver completion: the script that lets a shell complete these commands."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "receiver"
_VARIABLE = "_RECEIVER_COMPLETE"
"""Where click looks for a shell that asks: it makes the name out of the program's."""


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and account ids in SHELL.

    Account ids come from the database of the settings; while it is away, none are completed.
    """
    command, no_settings = ctx.find_root().command, dict[str, Any]()
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"{shell} is not known to this version of click.")
    click.echo(kind(command, no_settings, _PROGRAM, _VARIABLE).source())
