"""A short drill on each kind of database: real processes, killed and paused at random."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.cli.processes import plain_environment
from tests.support.brokers import own_broker
from tests.support.databases import empty_database_url, require_postgres

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]


def drill(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "receiver", "drill", "--minutes", "0.5", "--kill9", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=880,
        env=plain_environment(),
    )


def assert_whole(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "lost 0  missing 0  doubled 0"
    assert lines[-2] == "stuck 0"
    compared = re.search(r"compared (\d+) sets, (\d+) requests, (\d+) notifications", done.stdout)
    assert compared is not None
    assert all(int(count) > 0 for count in compared.groups())


def test_a_short_drill_on_sqlite_loses_and_doubles_nothing() -> None:
    assert_whole(drill())


def test_a_short_drill_on_celery_loses_and_doubles_nothing(tmp_path: Path) -> None:
    require_postgres()
    with (
        own_broker("redis", tmp_path) as broker,
        empty_database_url("postgresql", tmp_path) as url,
    ):
        assert_whole(drill("--database-url", url, "--broker-url", broker.url))


def test_a_short_drill_on_postgresql_loses_and_doubles_nothing(tmp_path: Path) -> None:
    require_postgres()
    with empty_database_url("postgresql", tmp_path) as url:
        assert_whole(drill("--database-url", url))
