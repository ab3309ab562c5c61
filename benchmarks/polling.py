"""What it costs at Facebook to learn of a set's results, and how soon they are in SQL.

Facebook is the sandbox, with ten thousand old sets in the account. Time is virtual where points are
counted: ten minutes pass in seconds. Run with ``make bench-full``; what the numbers mean stands in
``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import click
import requests
import structlog
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from werkzeug.serving import make_server

from benchmarks.official_sdk import TOKEN, sdk_at
from receiver.app import create_app
from receiver.assembly import Parts, build
from receiver.cli.demo.stage import Stage
from receiver.cli.processes import free_port
from receiver.lifecycle import step
from receiver.lifecycle.submit import submit
from receiver.sandbox.server import serving
from receiver.sandbox.state import Sandbox
from receiver.settings import Settings
from receiver.store import accounts, migrate
from receiver.store.intents import NewIntent

_ACCOUNT = 71597454
_OLD_SETS = 10_000
_REQUESTS = 100
_COMPLETE_AFTER_SECONDS = 600
_TICK_SECONDS = 5.0
_SDK_INTERVAL_SECONDS = 30
_WARM_UPS = 5
_CREATE_POINTS = 3
_LOSSES = (0.0, 0.1, 1.0)
_RATE_PER_SECOND = 20
_RATE_SECONDS = 15
_CREATED_WITHIN_SECONDS = 60
_TIMEOUT_SECONDS = 60


@click.command()
@click.option("--sets", "counts", type=int, multiple=True, default=(1, 50, 1000), show_default=True)
@click.option("--only", type=click.Choice(["points", "latency"]), help="Measure one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, counts: tuple[int, ...], only: str | None, as_json: bool) -> None:
    """Count points and calls of a collected set, and time its way from notification to SQL."""
    for name in ("urllib3", "werkzeug", "receiver"):
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
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
                before = world.totals()
                for number in range(count):
                    world.create(is_lost=number % 10 < 10 * loss)
                    world.pass_time(_CREATED_WITHIN_SECONDS / count)
                world.run_until_collected()
                who = f"{loss:.0%} lost, {'with' if is_expanded else 'no'} expansion"
                yield _measured(who, count, _difference(world.totals(), before))
    with _world(is_expanded=True) as world:
        before = world.totals()
        for _ in range(count):
            world.create(is_lost=True)
            world.pass_time(_CREATED_WITHIN_SECONDS / count)
        world.run_until_collected()
        yield _measured(
            "100% lost, nothing learned yet", count, _difference(world.totals(), before)
        )


def _measured(who: str, count: int, totals: dict[str, int]) -> dict[str, Any]:
    points = totals["points"] / count
    return {
        "who": who,
        "sets": count,
        "points_per_set": points,
        # What is left without the create and the one page of requests.
        "polling_points_per_set": points - _CREATE_POINTS - 1,
        "calls_per_set": totals["calls"] / count,
    }


def _difference(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in ("calls", "points")}


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

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        url = f"{self.sandbox_url}/sandbox/{path}"
        answer = requests.request(method, url, json=body, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def totals(self) -> dict[str, int]:
        totals: dict[str, int] = self.control("GET", "calls")["totals"]
        return totals

    def create(self, *, is_lost: bool) -> None:
        kind = "lost" if is_lost else "deliver"
        self.control(
            "POST", f"accounts/{_ACCOUNT}", {"notification": {"kind": kind}, "next_sets": 1}
        )
        specs = [{"name": f"ad {number}", "adset_id": "5"} for number in range(_REQUESTS)]
        submit(
            self.parts.tools,
            NewIntent(
                account_id=_ACCOUNT,
                api_key_id=None,
                name="measured",
                ad_specs=json.dumps(specs).encode(),
                spec_count=_REQUESTS,
                notification_uri=None,
                notification_mode="OFF",
            ),
        )

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.control("POST", "clock", {"move_seconds": seconds})
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
        url = self.parts.settings.database_url.get_secret_value()
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            statement = "SELECT count(*) FROM request_set WHERE state <> 'collected'"
            count: int = connection.execute(statement).fetchone()[0]
        return count

    def _wait_for_notifications(self) -> None:
        while any(
            entry["notification_status"] == "SENDING"
            for entry in self.control("GET", f"ledger?account=act_{_ACCOUNT}")["sets"][-50:]
        ):
            time.sleep(0.01)


@contextmanager
def _world(*, is_expanded: bool) -> Iterator[_World]:
    clock, port = _Clock(), free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Sandbox(), host="127.0.0.1", port=0) as sandbox,
    ):
        settings = Settings(
            database_url=f"sqlite:///{folder}/receiver.db",  # type: ignore[arg-type]  # pydantic reads it
            public_url=f"http://127.0.0.1:{port}",
            secret_keys="k" * 32,  # type: ignore[arg-type]  # pydantic reads it
            graph_url=sandbox.url,
        )
        _prepare(settings, clock())
        parts = build(settings, now=clock)
        if not is_expanded:
            parts.tools.without_expansion.add(_ACCOUNT)
        server = make_server("127.0.0.1", port, create_app(parts), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        world = _World(parts, clock, sandbox.url)
        progress = {"kind": "after_seconds", "seconds": _COMPLETE_AFTER_SECONDS}
        world.control("POST", f"accounts/{_ACCOUNT}", {"progress": progress})
        world.control("POST", f"accounts/{_ACCOUNT}/old-sets", {"count": _OLD_SETS})
        try:
            yield world
        finally:
            server.shutdown()
            parts.close()


def _prepare(settings: Settings, now: datetime) -> None:
    parts = build(settings)
    migrate.upgrade(parts.database)
    with parts.database.writing() as session:
        accounts.put_accounts(
            session,
            [_ACCOUNT],
            sealed_token=parts.keys.seal(TOKEN),
            sealed_app_secret=None,
            now=now,
        )
    parts.close()


def _sdk_points(count: int) -> dict[str, int]:
    """Poll each set every 30 seconds with the official SDK, and read its requests at the end."""
    with _world(is_expanded=True) as world:
        api = sdk_at(world.sandbox_url)
        before = world.totals()
        ids = [_create_at_facebook(world) for _ in range(count)]
        waiting = set(ids)
        while waiting:
            world.control("POST", "clock", {"move_seconds": _SDK_INTERVAL_SECONDS})
            for set_id in sorted(waiting):
                request_set = AdAsyncRequestSet(set_id, api=api)
                if request_set.api_get(fields=["is_completed"])["is_completed"]:
                    fields = ["id", "status", "result"]
                    found = request_set.get_requests(fields=fields, params={"limit": 500})
                    if len(list(found)) != _REQUESTS:
                        raise ValueError("The SDK did not find every request")
                    waiting.discard(set_id)
        return _difference(world.totals(), before)


def _create_at_facebook(world: _World) -> str:
    specs = [{"name": f"ad {number}", "adset_id": "5"} for number in range(_REQUESTS)]
    answer = requests.post(
        f"{world.sandbox_url}/v21.0/act_{_ACCOUNT}/asyncadrequestsets",
        data={"name": "polled", "ad_specs": json.dumps(specs), "access_token": TOKEN},
        timeout=_TIMEOUT_SECONDS,
    )
    set_id: str = answer.json()["id"]
    return set_id


def measure_latency() -> dict[str, Any]:
    """Let 20 sets a second complete: from notification to results in SQL, with real processes."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            stage.open([str(_ACCOUNT)])
            _create_at_a_rate(stage)
            rows = _wait_for_rows(Path(folder) / "receiver.db")
        finally:
            stage.close()
    seconds = sorted(
        (datetime.fromisoformat(collected) - datetime.fromisoformat(received)).total_seconds()
        for received, collected in rows
    )
    cuts = quantiles(seconds, n=100)
    return {
        "completions_a_second": _RATE_PER_SECOND,
        "sets": len(seconds),
        "p50_seconds": round(cuts[49], 3),
        "p99_seconds": round(cuts[98], 3),
        "goal_p99_seconds": 1,
    }


def _create_at_a_rate(stage: Stage) -> None:
    progress = {"progress": {"kind": "after_seconds", "seconds": 3}}
    url = f"{stage.sandbox_url}/sandbox/accounts/{_ACCOUNT}"
    requests.post(url, json=progress, timeout=_TIMEOUT_SECONDS).raise_for_status()
    began = time.monotonic()

    def create(number: int) -> None:
        time.sleep(max(0.0, began + number / _RATE_PER_SECOND - time.monotonic()))
        specs = [{"name": f"ad {n}", "adset_id": "5"} for n in range(10)]
        requests.post(
            f"{stage.receiver_url}/act_{_ACCOUNT}/asyncadrequestsets",
            data={"name": f"set {number}", "ad_specs": json.dumps(specs)},
            headers={"Authorization": f"Bearer {stage.key}"},
            timeout=_TIMEOUT_SECONDS,
        ).raise_for_status()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(_RATE_PER_SECOND * _RATE_SECONDS)))


def _wait_for_rows(path: Path) -> list[tuple[str, str]]:
    statement = (
        "SELECT min(notification.received_at), request_set.collected_at FROM request_set "
        "JOIN notification ON notification.request_set_id = request_set.id "
        "GROUP BY request_set.id HAVING request_set.collected_at IS NOT NULL"
    )
    ends = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            rows: list[tuple[str, str]] = connection.execute(statement).fetchall()
        if len(rows) == _RATE_PER_SECOND * _RATE_SECONDS:
            return rows
        if time.monotonic() > ends:
            raise ValueError(f"Only {len(rows)} sets were collected")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
