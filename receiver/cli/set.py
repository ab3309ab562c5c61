"""receiver set: what a person decides of a set whose outcome nobody could find out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from receiver.cli.common import opened_parts
from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle import decide
from receiver.lifecycle.decide import CannotDecide
from receiver.lifecycle.tools import Tools
from receiver.store.types import MAX_ID

_NUMBER = click.IntRange(1, MAX_ID)


@click.group(name="set")
def set_() -> None:
    """Decide of a set whose outcome nobody could find out."""


@set_.command()
@click.argument("request_set", type=_NUMBER)
@click.argument("facebook_id", type=_NUMBER)
def adopt(request_set: int, facebook_id: int) -> None:
    """Say that Facebook's set FACEBOOK_ID is the set REQUEST_SET.

    Facebook has to show it with as many requests as were asked for. The worker collects it then.
    """
    with _deciding() as tools:
        decide.adopt(tools, request_set, facebook_id=facebook_id)
    click.echo(f"Set {request_set} is open as {facebook_id}: the worker collects its results.")


@set_.command()
@click.argument("request_set", type=_NUMBER)
@click.option("--reason", default="A person gave it up.", help="Why, for those who read it later.")
def abandon(request_set: int, *, reason: str) -> None:
    """Give up the set REQUEST_SET, whose outcome is not known: it is never sent again."""
    with _deciding() as tools:
        decide.abandon(tools, request_set, reason=reason)
    click.echo(f"Set {request_set} is given up: it is never sent again.")


@contextmanager
def _deciding() -> Iterator[Tools]:
    with opened_parts(check_secrets=True) as parts:
        try:
            yield parts.tools
        except (CannotDecide, CallFailed, CannotOpen) as error:
            raise click.ClickException(str(error)) from error
