"""What it costs at Facebook to learn of a set's results, and how soon they are in SQL.

Facebook is the sandbox, with ten thousand old sets in the account. Time is virtual where points are
counted: ten minutes pass in seconds. Run with ``make bench-full``; what the numbers mean stands in
``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import requests
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from sqlalchemy import func, select
from werkzeug.serving import make_server

from benchmarks.databases import new_database
from benchmarks.installation import (
    add_accounts,
    intent,
    plain_specs,
    settings_of,
    variables,
)
from benchmarks.official_sdk import TOKEN, sdk_at
from benchmarks.polling_latency import measure_latency
from benchmarks.quiet import be_quiet
from benchmarks.sandbox_control import Spent, ask, spent, tell
from receiver.app import create_app
from receiver.assembly import Parts, build
from receiver.cli.processes import free_port
from receiver.lifecycle import step
from receiver.lifecycle.submit import submit
from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox
from receiver.store import intents
from receiver.store.models import RequestSet

_ACCOUNT = 71597454
_OLD_SETS = 10_000
_REQUESTS = 100
_COMPLETE_AFTER_SECONDS = 600
_TICK_SECONDS = 5.0
_SDK_INTERVAL_SECONDS = 30
_WARM_UPS = 5
_CREATE_POINTS = 3
_LOSSES = (0.0, 0.1, 1.0)
_CREATED_WITHIN_SECONDS = 60
_TIMEOUT_SECONDS = 60


@click.command()
@click.option("--sets", "counts", type=int, multiple=True, default=(1, 50, 1000), show_default=True)
@click.option("--only", type=click.Choice(["points", "latency"]), help="Measure one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, counts: tuple[int, ...], only: str | None, as_json: bool) -> None:
    """Count points and calls of a collected set, and time its way from notification to SQL."""
    be_quiet()
    report: dict[str, Any] = {}
    if only in (None, "points"):
        report["points"] = []
        for count in counts:
            for row in _measure_points(count):
                report["points"].append(row)
                if not as_json:
                    click.echo(_line(row))
    if only in (None, "latency"):
        report["latency"] = measure_latency()
        if not as_json:
            click.echo(json.dumps(report["latency"]))
    if as_json:
        click.echo(json.dumps(report, indent=2))


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['sets']:5} sets  {row['who']:30} {row['points_per_set']:7.2f} points a set, "
        f"{row['polling_points_per_set']:6.2f} of them for polling, {row['calls_per_set']:6.2f} "
        "calls a set"
    )


def _measure_points(count: int) -> Iterator[dict[str, Any]]:
    yield _measured("SDK, every 30 s", count, _sdk_points(count))
    for is_expanded in (True, False):
        for loss in _LOSSES:
            with _world(is_expanded=is_expanded) as world:
                for _ in range(_WARM_UPS):
                    world.create(is_lost=loss > 0)
                world.run_until_collected()
                world.pass_time(_COMPLETE_AFTER_SECONDS)
                before = spent(world.sandbox_url)
                for number in range(count):
                    world.create(is_lost=number % 10 < 10 * loss)
                    world.pass_time(_CREATED_WITHIN_SECONDS / count)
                world.run_until_collected()
                who = f"{loss:.0%} lost, {'with' if is_expanded else 'no'} expansion"
                yield _measured(who, count, spent(world.sandbox_url).since(before))
    with _world(is_expanded=True) as world:
        before = spent(world.sandbox_url)
        for _ in range(count):
            world.create(is_lost=True)
            world.pass_time(_CREATED_WITHIN_SECONDS / count)
        world.run_until_collected()
        cost = spent(world.sandbox_url).since(before)
        yield _measured("100% lost, nothing learned yet", count, cost)


def _measured(who: str, count: int, cost: Spent) -> dict[str, Any]:
    points = cost.points / count
    return {
        "who": who,
        "sets": count,
        "points_per_set": points,
        # What is left without the create and the one page of requests.
        "polling_points_per_set": points - _CREATE_POINTS - 1,
        "calls_per_set": cost.calls / count,
    }


class _Clock:
    def __init__(self) -> None:
        self._moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._moment

    def move(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)


@dataclass
class _World:
    """A receiver in this process and a sandbox, whose clocks are moved together."""

    parts: Parts
    clock: _Clock
    sandbox_url: str

    def create(self, *, is_lost: bool) -> None:
        kind = "lost" if is_lost else "deliver"
        behaviour = {"notification": {"kind": kind}, "next_sets": 1}
        tell(self.sandbox_url, f"accounts/{_ACCOUNT}", behaviour)
        submit(self.parts.tools, intent(_ACCOUNT, plain_specs(_REQUESTS)))

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        tell(self.sandbox_url, "clock", {"move_seconds": seconds})
        self.work()

    def work(self) -> None:
        tools = self.parts.tools
        while step.apply_hints(tools) or step.advance(tools):
            pass

    def run_until_collected(self) -> None:
        """Let time pass, a few seconds at a time, until every set is collected."""
        while self._open_sets():
            self.pass_time(_TICK_SECONDS)
            # A notification is on its way for real: it takes milliseconds, not virtual seconds.
            self._wait_for_notifications()
            self.work()

    def _open_sets(self) -> int:
        count = select(func.count()).where(RequestSet.state != intents.COLLECTED)
        with self.parts.database.reading() as session:
            return session.scalars(count).one()

    def _wait_for_notifications(self) -> None:
        while any(
            entry["notification_status"] == "SENDING"
            for entry in ask(self.sandbox_url, f"ledger?account=act_{_ACCOUNT}")["sets"][-50:]
        ):
            time.sleep(0.01)


@contextmanager
def _world(*, is_expanded: bool) -> Iterator[_World]:
    clock, port = _Clock(), free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database("sqlite", Path(folder), label="polling") as database_url,
        serving(Sandbox(), host="127.0.0.1", port=0) as sandbox,
    ):
        environment = variables(
            database_url, public_url=f"http://127.0.0.1:{port}", graph_url=sandbox.url
        )
        parts = build(settings_of(environment), now=clock)
        add_accounts(parts, [_ACCOUNT])
        if not is_expanded:
            parts.tools.without_expansion.add(_ACCOUNT)
        server = make_server("127.0.0.1", port, create_app(parts), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        progress = {"kind": "after_seconds", "seconds": _COMPLETE_AFTER_SECONDS}
        tell(sandbox.url, f"accounts/{_ACCOUNT}", {"progress": progress})
        tell(sandbox.url, f"accounts/{_ACCOUNT}/old-sets", {"count": _OLD_SETS})
        try:
            yield _World(parts, clock, sandbox.url)
        finally:
            server.shutdown()
            parts.close()


def _sdk_points(count: int) -> Spent:
    """Poll each set every 30 seconds with the official SDK, and read its requests at the end."""
    with _world(is_expanded=True) as world:
        api = sdk_at(world.sandbox_url)
        before = spent(world.sandbox_url)
        ids = [_create_at_facebook(world) for _ in range(count)]
        waiting = set(ids)
        while waiting:
            tell(world.sandbox_url, "clock", {"move_seconds": _SDK_INTERVAL_SECONDS})
            for set_id in sorted(waiting):
                request_set = AdAsyncRequestSet(set_id, api=api)
                if request_set.api_get(fields=["is_completed"])["is_completed"]:
                    fields = ["id", "status", "result"]
                    found = request_set.get_requests(fields=fields, params={"limit": 500})
                    if len(list(found)) != _REQUESTS:
                        raise ValueError("The SDK did not find every request")
                    waiting.discard(set_id)
        return spent(world.sandbox_url).since(before)


def _create_at_facebook(world: _World) -> str:
    answer = requests.post(
        f"{world.sandbox_url}/v21.0/act_{_ACCOUNT}/asyncadrequestsets",
        data={
            "name": "polled",
            "ad_specs": json.dumps(plain_specs(_REQUESTS)),
            "access_token": TOKEN,
        },
        timeout=_TIMEOUT_SECONDS,
    )
    set_id: str = answer.json()["id"]
    return set_id


if __name__ == "__main__":
    main()
