from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from receiver.cli.sandbox import sandbox
from tests.support.sandbox import GraphCaller, SandboxControl

START = "from receiver.cli.sandbox import sandbox; sandbox()"
LINE = "Sandbox listening on "


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], SandboxControl]]:
    """Run the command as a process of its own and wait for its line."""
    with subprocess.Popen(
        [sys.executable, "-c", START, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        try:
            assert line.startswith(LINE)
            yield running, SandboxControl(line.removeprefix(LINE).strip())
        finally:
            running.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_stopped_even_while_a_call_is_held(stop: signal.Signals) -> None:
    with process() as (running, control):
        control.trouble("hold")
        thread = threading.Thread(target=create_in_vain, args=(control.url,))
        thread.start()
        while not control.calls()["calls"]:
            time.sleep(0.005)
        began = time.monotonic()
        running.send_signal(stop)
        _, errors = running.communicate(timeout=10)
        thread.join(10)
        assert time.monotonic() - began < 5
        assert (running.returncode, errors) == (0, "")


def create_in_vain(url: str) -> None:
    graph = GraphCaller(url)
    with graph.session, contextlib.suppress(requests.ConnectionError):
        graph.create("1", [{"adset_id": "5"}])


def test_the_apps_secret_comes_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("app-secret\n")
    with process("--app-secret-file", str(secret)) as (_, control):
        graph = GraphCaller(control.url)
        with graph.session:
            assert "appsecret_proof" in graph.get("/404")["error"]["message"]


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("\n")
    result = CliRunner().invoke(sandbox, ["--port", "0", "--app-secret-file", str(secret)])
    assert result.exit_code == 2
    assert "empty" in result.output


def test_a_port_in_use_is_said_so() -> None:
    with process() as (_, control):
        port = control.url.rpartition(":")[2]
        result = CliRunner().invoke(sandbox, ["--port", port])
    assert result.exit_code == 1
    assert "cannot listen" in result.output


def test_it_begins_as_a_file_says_and_takes_only_what_was_made(tmp_path: Path) -> None:
    file = tmp_path / "trouble.json"
    tokens = [{"token": "mine", "accounts": ["act_1"]}]
    preset = {"tokens": tokens, "accounts": {"act_1": {}}, "troubles": [{"kind": "no_id"}]}
    file.write_text(json.dumps(preset))
    with process("--strict", "--trouble", str(file)) as (_, control):
        graph = GraphCaller(control.url)
        with graph.session:
            graph.get("/act_1")
            assert graph.get("/act_1")["error"]["code"] == 190
            graph.token = "mine"
            assert graph.get("/act_1")["account_id"] == "1"


def test_a_wrong_file_stops_the_start_and_is_told_where_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "trouble.json"
    file.write_text('{"troubles": [{"kind": "null", "count": 0}]}')
    result = CliRunner().invoke(sandbox, ["--port", "0", "--trouble", str(file)])
    assert result.exit_code == 2
    assert f"{file}: troubles.0.count: " in result.output
    assert "Correct it there" in result.output


@pytest.mark.long  # a measure of time, which a busy machine may miss
def test_its_start_costs_less_than_a_second_of_work() -> None:
    before = os.times()
    with process() as (_, control):
        control.calls()
    after = os.times()
    worked = after.children_user - before.children_user
    worked += after.children_system - before.children_system
    assert 0 < worked < 1
