"""The commands. Each stands in a module of its own name, which only its own call imports."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from receiver import __version__

COMMANDS = (
    "account",
    "db",
    "demo",
    "doctor",
    "drill",
    "integrity",
    "key",
    "poll",
    "reconcile",
    "sandbox",
    "secrets",
    "set",
    "settings",
    "worker",
)


class CommandGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"receiver.cli.{cmd_name}")
        # A name of Python's own stands there with an underscore.
        command: click.Command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
        return command

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


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="receiver")
def main() -> None:
    """The callback host for Facebook's asynchronous ad requests."""
