"""What a person decides of a set whose outcome nobody could find out: what both commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from receiver.cli.common import opened_parts
from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle.decide import CannotDecide
from receiver.lifecycle.tools import Tools
from receiver.store.types import MAX_ID

NUMBER = click.IntRange(1, MAX_ID)


@contextmanager
def deciding() -> Iterator[Tools]:
    """Give the tools to decide with. What cannot be decided ends the command in words."""
    with opened_parts(check_secrets=True) as parts:
        try:
            yield parts.tools
        except (CannotDecide, CallFailed, CannotOpen) as error:
            raise click.ClickException(str(error)) from error
