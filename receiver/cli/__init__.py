"""The commands. Each stands in a module of its own name, which only its own call imports."""

from __future__ import annotations

import sys
from typing import Any

import click

from receiver import __version__
from receiver.cli.lazy import LazyGroup

COMMANDS = (
    "account",
    "completion",
    "db",
    "demo",
    "doctor",
    "drill",
    "export",
    "integrity",
    "key",
    "move-host",
    "poll",
    "reconcile",
    "retention",
    "sandbox",
    "secrets",
    "set",
    "settings",
    "worker",
)


class CommandGroup(LazyGroup):
    """The whole of the commands: settings that are wrong end any of them in words, with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not _is_settings_error(error):
                raise
            for sentence in str(error).splitlines():
                click.echo(f"Error: {sentence}", err=True)
            ctx.exit(2)


def _is_settings_error(error: Exception) -> bool:
    # Whoever raised it has imported its module; to import it here would slow every command down.
    settings = sys.modules.get("receiver.settings")
    return settings is not None and isinstance(error, settings.SettingsError)


@click.group(
    cls=CommandGroup,
    package="receiver.cli",
    names=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="receiver")
def main() -> None:
    """The callback host for Facebook's asynchronous ad requests."""
