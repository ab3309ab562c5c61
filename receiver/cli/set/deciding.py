"""What a person decides of a set whose outcome nobody could find out: what both commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from receiver.cli.common import opened_parts
from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle.actions.outcome import Refused
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools
from receiver.store import reports
from receiver.store.models import RequestSet
from receiver.store.types import MAX_ID

NUMBER = click.IntRange(1, MAX_ID)


@contextmanager
def deciding(number: int) -> Iterator[tuple[Tools, RequestSet]]:
    """Give the tools to decide of a set with. What cannot be decided ends the command in words."""
    with opened_parts(check_secrets=True) as parts:
        with parts.database.reading() as session:
            row = reports.find_row(session, number)
        if row is None:
            raise click.ClickException(f"There is no set {number}.")
        try:
            yield parts.tools, row
        except NoPoints as error:
            until = f"{error.resume_at:%Y-%m-%d %H:%M:%S} UTC"
            raise click.ClickException(f"{error} Try again after {until}.") from error
        except (Refused, CallFailed, CannotOpen) as error:
            raise click.ClickException(str(error)) from error
