"""How soon a set's results are in SQL once it was notified of, with real processes."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests

from benchmarks.installation import plain_specs
from benchmarks.sandbox_control import tell
from benchmarks.waiting import repeatedly
from receiver.cli.demo.stage import Stage

_ACCOUNT = "71597454"
_RATE_PER_SECOND = 20
_RATE_SECONDS = 15
_TIMEOUT_SECONDS = 60


def measure_latency() -> dict[str, Any]:
    """Let 20 sets a second complete: from notification to results in SQL."""
    with tempfile.TemporaryDirectory() as folder, closing(Stage(Path(folder))) as stage:
        stage.open([_ACCOUNT])
        _create_at_a_rate(stage)
        rows = _wait_for_rows(Path(folder) / "receiver.db")
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
    tell(stage.sandbox_url, f"accounts/{_ACCOUNT}", progress)
    ad_specs = json.dumps(plain_specs(10))
    began = time.monotonic()

    def create(number: int) -> None:
        time.sleep(max(0.0, began + number / _RATE_PER_SECOND - time.monotonic()))
        requests.post(
            f"{stage.receiver_url}/act_{_ACCOUNT}/asyncadrequestsets",
            data={"name": f"set {number}", "ad_specs": ad_specs},
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
    for _ in repeatedly(seconds=_TIMEOUT_SECONDS, pause_seconds=0.5):
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            rows: list[tuple[str, str]] = connection.execute(statement).fetchall()
        if len(rows) == _RATE_PER_SECOND * _RATE_SECONDS:
            return rows
    raise TimeoutError(f"Only {len(rows)} sets were collected")
