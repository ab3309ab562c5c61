from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver.cli import main
from tests.support.commands import environment
from tests.support.databases import BACKENDS, empty_database_url, fresh_database_url


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success(tmp_path: Path, stop: signal.Signals) -> None:
    with fresh_database_url("sqlite", tmp_path) as url:
        variables = {**os.environ, **environment(url)}
        with subprocess.Popen(
            [sys.executable, "-m", "receiver", "worker"],
            env={name: value for name, value in variables.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                assert "The worker runs" in process.stdout.readline()
                process.send_signal(stop)
                output, _ = process.communicate(timeout=20)
            finally:
                process.kill()
    assert process.returncode == 0
    assert "The worker ended" in output


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_tables_it_does_not_start_and_says_what_to_do(backend: str, tmp_path: Path) -> None:
    with empty_database_url(backend, tmp_path) as url:
        result = CliRunner().invoke(main, ["worker"], env=environment(url))
    assert result.exit_code == 1
    assert "run 'receiver db upgrade'" in result.stderr


def test_without_a_database_it_does_not_start_and_says_so() -> None:
    env = environment("sqlite:////no/such/folder/receiver.db")
    result = CliRunner().invoke(main, ["worker"], env=env)
    assert result.exit_code == 1
    assert "The database is away" in result.stderr


def test_metrics_on_a_port_that_is_taken_stop_the_start_in_words(tmp_path: Path) -> None:
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        port = str(taken.getsockname()[1])
        env = environment(url, RECEIVER_WORKER_METRICS_PORT=port)
        result = CliRunner().invoke(main, ["worker"], env=env)
    assert result.exit_code == 1
    assert f"cannot be served on port {port}" in result.stderr
