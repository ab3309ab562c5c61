"""The commands of sets, run in this process beside a house: with its clock, and its worker."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner, Result

from receiver.assembly import build
from receiver.cli import common, main
from receiver.cli.interruption import Interruption
from receiver.lifecycle.submit import Submitted, submit
from receiver.lifecycle.tools import Tools
from receiver.store.intents import NewIntent
from tests.support.commands import environment
from tests.support.house import ACCOUNT, House

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def run_set(house: House, *arguments: object, text: str | None = None, **variables: str) -> Result:
    """Run ``receiver set …`` as ``run`` does."""
    return run(house, "set", *arguments, text=text, **variables)


def run(house: House, *arguments: object, text: str | None = None, **variables: str) -> Result:
    """Run ``receiver …`` with the house's clock, and without any pause.

    Whatever the command sleeps passes on our clock and on Facebook's, and the worker works then.
    """
    settings = house.parts.settings
    url = settings.database_url.get_secret_value().replace("postgresql+psycopg", "postgresql")
    graph = {"RECEIVER_GRAPH_URL": settings.graph_url, "COLUMNS": "160"}

    def sleep(interruption: Interruption, seconds: float) -> None:
        interruption.check()
        house.let_time_pass(max(seconds, 1))
        house.work()

    with (
        mock.patch.object(common, "build", partial(build, now=house.clock)),
        mock.patch.object(Interruption, "sleep", sleep),
    ):
        return CliRunner().invoke(
            main,
            [str(argument) for argument in arguments],
            env=environment(url, **{**graph, **variables}),
            input=text,
        )


def create_sets(house: House, file: Path | str, *options: object, **named: Any) -> Result:
    """Run ``receiver set create`` for the house's account."""
    return run_set(house, "create", file, "--account", ACCOUNT, *options, **named)


def ads_file(folder: Path, count: int, *, name: str = "ads.ndjson", **fields: Any) -> Path:
    """Write a file with so many ads, each with a key of its own."""
    file = folder / name
    lines = [
        json.dumps({"name": f"ad {number}", "adset_id": "5", "row_key": f"k{number}", **fields})
        for number in range(1, count + 1)
    ]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def document(result: Result) -> dict[str, Any]:
    """Return the JSON that a command printed, and nothing else, on its standard output."""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def states(result: Result) -> list[str]:
    """Return the states of the sets that ``--json`` shows."""
    return [each["state"] for each in document(result)["sets"]]


@contextmanager
def interrupted_during(call: int) -> Iterator[None]:
    """Press Ctrl-C while the create with this number, counted from 1, is at Facebook."""
    with at_create(call, lambda: signal.raise_signal(signal.SIGINT)):
        yield


@contextmanager
def at_create(call: int, happen: Callable[[], object]) -> Iterator[None]:
    """Let something happen right before the create with this number, counted from 1."""
    calls = 0

    def submit_later(tools: Tools, intent: NewIntent) -> Submitted:
        nonlocal calls
        calls += 1
        if calls == call:
            happen()
        return submit(tools, intent)

    with mock.patch("receiver.cli.set.sending.submit", submit_later):
        yield
