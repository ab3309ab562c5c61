from __future__ import annotations

import contextlib
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
