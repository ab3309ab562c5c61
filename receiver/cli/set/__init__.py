"""receiver set: create request sets out of a file, follow them, and decide of what was lost."""

from __future__ import annotations

import click

from receiver.cli.lazy import LazyGroup

COMMANDS = ("abandon", "act", "adopt", "create", "list", "show", "stop", "watch")


@click.group(name="set", cls=LazyGroup, package="receiver.cli.set", names=COMMANDS)
def set_() -> None:
    """Create request sets, list and follow them, act on them, and decide of what was lost."""
