"""A whole run: sets of 100 requests from their creates to every result in SQL.

Here: gunicorn, one worker and SQLite as processes; the official SDK creates the sets, told to call
our host. There: a script with the official SDK straight at Facebook, which creates the sets, asks
for each that is open every five seconds, reads the requests of a complete one with ``limit=500``
and writes each page with one ``executemany`` into SQLite. Both have as many threads. Facebook is a
sandbox of its own for each, whose calls wait 100 ms and whose sets are complete after 20 seconds.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.api import FacebookAdsApi

from benchmarks.figure import Figure
from benchmarks.installation import running_fleet
from benchmarks.official_sdk import sdk_at
from benchmarks.sandbox_control import spent, tell
from benchmarks.waiting import repeatedly
from receiver.cli.demo.stage import Stage

_ACCOUNTS = ("71597454", "187687683", "40020001", "40020002")
_REQUESTS = 100
_THREADS = 8
_LATENCY_MS = 100
_COMPLETE_AFTER_SECONDS = 20
_POLLED_EVERY_SECONDS = 5
_PAGE_LIMIT = 500
_TIMEOUT_SECONDS = 900

_SCRIPT_TABLE = (
    "CREATE TABLE request (id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL, status TEXT NOT NULL, "
    "result TEXT, input TEXT)"
)
_SCRIPT_INSERT = "INSERT OR REPLACE INTO request VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class _Run:
    """How long a run took from its first create to its last result, and its calls at Facebook.

    ``learned`` is how many sets the receiver learned of in which way; none for a script.
    """

    seconds: float
    calls: int
    points: int
    learned: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        learned = "".join(f", {count:,} by {way}" for way, count in self.learned.items())
        return f"{self.seconds:.1f} s, {self.calls:,} calls, {self.points:,} points{learned}"


def figures(*, rounds: int, say: Callable[[str], None], sets: int = 1000) -> Iterator[Figure]:
    """Run so many sets through the receiver and through the script, in turn."""
    ours: list[_Run] = []
    theirs: list[_Run] = []
    for number in range(rounds):
        turns = [("the receiver", _receiver_run, ours), ("a script", _script_run, theirs)]
        # Whoever comes first changes round by round.
        for name, run, runs in turns if number % 2 == 0 else reversed(turns):
            runs.append(run(sets))
            say(f"round {number + 1} of {rounds}: {name}: {runs[-1]}")
    yield from _figures(sets, ours, theirs)


def _figures(sets: int, ours: Sequence[_Run], theirs: Sequence[_Run]) -> Iterator[Figure]:
    what, peer = f"{sets:,} sets", "a script with the SDK"
    detail = f"here: {'; '.join(map(str, ours))}. {peer}: {'; '.join(map(str, theirs))}"
    seconds = Figure.of(f"{what}, wall time", [run.seconds for run in ours], unit="s")
    yield seconds.with_detail(detail)
    yield Figure.of(f"{what}, calls a set", [run.calls / sets for run in ours], unit="calls")
    yield Figure.of(f"{what}, points a set", [run.points / sets for run in ours], unit="points")
    pairs = list(zip(ours, theirs, strict=True))
    ratios: dict[str, list[float]] = {
        "wall time": [here.seconds / there.seconds for here, there in pairs],
        "calls": [here.calls / there.calls for here, there in pairs],
        "points": [here.points / there.points for here, there in pairs],
    }
    for name, of_rounds in ratios.items():
        yield Figure.of(f"{what}, {name}", of_rounds, unit="x", peer=peer)


def _receiver_run(sets: int) -> _Run:
    with (
        tempfile.TemporaryDirectory() as folder,
        # The default pace: it is the notifications that tell.
        closing(Stage(Path(folder), pace={})) as stage,
    ):
        stage.open(list(_ACCOUNTS))
        _prepare(stage.sandbox_url)
        began = time.monotonic()
        _create_all(lambda: sdk_at(stage.receiver_url, token=stage.key), sets)
        _wait_for_rows(Path(folder) / "receiver.db", sets * _REQUESTS)
        seconds = time.monotonic() - began
        learned = _learned(Path(folder) / "receiver.db")
        return replace(_run_of(stage.sandbox_url, seconds=seconds), learned=learned)


def _script_run(sets: int) -> _Run:
    with tempfile.TemporaryDirectory() as folder, running_fleet(Path(folder)) as fleet:
        url = fleet.start_sandbox()
        _prepare(url)
        with closing(_Table(Path(folder) / "script.db")) as table:
            began = time.monotonic()
            ids = _create_all(lambda: sdk_at(url), sets)
            _poll_all(lambda: sdk_at(url), ids, table)
            seconds = time.monotonic() - began
            if table.count() != sets * _REQUESTS:
                raise ValueError(f"The script stored {table.count()} requests")
        return _run_of(url, seconds=seconds)


def _prepare(sandbox_url: str) -> None:
    progress = {"kind": "after_seconds", "seconds": _COMPLETE_AFTER_SECONDS}
    tell(sandbox_url, "defaults", {"progress": progress})
    tell(sandbox_url, "latency", {"latency_ms": _LATENCY_MS})


def _create_all(connect: Callable[[], FacebookAdsApi], sets: int) -> list[str]:
    """Create the sets with the SDK, several at a time; return their ids."""
    specs = [
        {"name": f"ad {number}", "adset_id": "6008248529789", "creative": {"creative_id": "7"}}
        for number in range(_REQUESTS)
    ]

    def create(number: int) -> str:
        account = AdAccount(f"act_{_ACCOUNTS[number % len(_ACCOUNTS)]}", api=connect())
        params = {"name": f"set {number}", "ad_specs": specs}
        set_id: str = account.create_async_ad_request_set(params=params)["id"]
        return set_id

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(create, range(sets)))


class _Table:
    """The table that the script writes into, one thread at a time, a page a transaction."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # As durable as the receiver's.
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(_SCRIPT_TABLE)

    def write(self, page: Sequence[tuple[Any, ...]]) -> None:
        with self._lock, self._connection:
            self._connection.executemany(_SCRIPT_INSERT, page)

    def count(self) -> int:
        found: int = self._connection.execute("SELECT count(*) FROM request").fetchone()[0]
        return found

    def close(self) -> None:
        self._connection.close()


def _poll_all(connect: Callable[[], FacebookAdsApi], set_ids: Sequence[str], table: _Table) -> None:
    """Ask for each set that is open until all are complete, and store what they hold."""

    def is_stored(set_id: str) -> bool:
        request_set = AdAsyncRequestSet(set_id, api=connect())
        if not request_set.api_get(fields=["is_completed"])["is_completed"]:
            return False
        found = request_set.get_requests(
            fields=["id", "status", "result", "input"], params={"limit": _PAGE_LIMIT}
        )
        # The SDK reads on as far as what it has handed out.
        while page := [_script_row(one, set_id) for one in islice(found, _PAGE_LIMIT)]:
            table.write(page)
        return True

    left = list(set_ids)
    with ThreadPoolExecutor(_THREADS) as pool:
        while left:
            next_round = time.monotonic() + _POLLED_EVERY_SECONDS
            stored = list(pool.map(is_stored, left))
            left = [one for one, done in zip(left, stored, strict=True) if not done]
            if left:
                time.sleep(max(0.0, next_round - time.monotonic()))


def _script_row(one: Any, set_id: str) -> tuple[Any, ...]:
    shown = one.export_all_data()
    texts = (json.dumps(shown.get(name)) for name in ("result", "input"))
    return (int(shown["id"]), int(set_id), shown["status"], *texts)


def _wait_for_rows(path: Path, wanted: int) -> None:
    """Wait until so many requests have their final result in SQL. Raises TimeoutError."""
    for _ in repeatedly(seconds=_TIMEOUT_SECONDS, pause_seconds=0.2):
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            stored = connection.execute(
                "SELECT coalesce(sum(total_count), 0) FROM request_set WHERE state = 'collected'"
            ).fetchone()[0]
            if stored == wanted:
                counted = connection.execute("SELECT count(*) FROM request WHERE is_final")
                stored = counted.fetchone()[0]
        if stored == wanted:
            return
    raise TimeoutError(f"{stored} of {wanted} requests are in SQL")


def _learned(path: Path) -> dict[str, int]:
    """Count the sets by how their completion was learned: by a notification, or without one."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return dict(
            connection.execute("SELECT learned_by, count(*) FROM request_set GROUP BY learned_by")
        )


def _run_of(sandbox_url: str, *, seconds: float) -> _Run:
    cost = spent(sandbox_url)
    return _Run(seconds, calls=cost.http_calls, points=cost.points)
