"""receiver set: create request sets out of a file, follow them, and decide of what was lost."""

from __future__ import annotations

import click

from receiver.cli.lazy import LazyGroup

COMMANDS = ("abandon", "adopt", "create", "show", "watch")


@click.group(name="set", cls=LazyGroup, package="receiver.cli.set", names=COMMANDS)
def set_() -> None:
    """Create request sets, follow them, and decide of those whose outcome nobody could find out."""
