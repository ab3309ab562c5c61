"""Commands that start processes of their own end in order, however they are told to."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import click

from receiver.cli.processes import NotStarted

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM, and a terminal that closes, end the block as Ctrl-C does: no process stays."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        _end_undisturbed()
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in _ENDINGS}
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class Stage(Protocol):
    """What processes play on."""

    def close(self) -> None:
        """End every process."""


@contextmanager
def closing_in_order(stage: Stage) -> Iterator[None]:
    """Close a stage whatever becomes of the block; Ctrl-C ends the command with 1.

    Raises click.ClickException for a process that did not start.
    """
    try:
        yield
    except NotStarted as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Stopped.")
        sys.exit(1)
    finally:
        _end_undisturbed()
        stage.close()


def _end_undisturbed() -> None:
    """A terminal that closes may say so twice: the second must not break off the ending."""
    for one in _ENDINGS:
        signal.signal(one, signal.SIG_IGN)
