"""Groups whose commands stand in modules of their own, which only their own call imports."""

from __future__ import annotations

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of the commands ``names``, each in the module of its name in ``package``."""

    def __init__(self, *arguments: Any, package: str, names: tuple[str, ...], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._package = package
        self._names = names

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in self._names:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"{self._package}.{name}")
        # A name of Python's own stands there with an underscore.
        command: click.Command = getattr(module, name, None) or getattr(module, f"{name}_")
        return command
