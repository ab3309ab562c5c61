"""Metrics of several processes: gunicorn's web workers, one of which is killed, and the worker."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from receiver.cli.processes import free_port
from tests.support.processes import PATIENCE_SECONDS, Customer, Installation, call, eventually

pytestmark = [
    pytest.mark.drill,
    # What is shared are files: the database has no part in it.
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

REFUSED = 'receiver_notifications_total{outcome="refused"} '


def value(url: str, name: str) -> float | None:
    """The value of a sample in a scrape, over a connection of its own."""
    for line in call("GET", f"{url}/metrics").text.splitlines():
        if line.startswith(name):
            return float(line.removeprefix(name))
    return None


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def forge(installation: Installation, *, times: int) -> None:
    for _ in range(times):
        assert call("POST", f"{installation.url}/notifications/forged").status_code == 404


def test_whichever_web_worker_is_asked_shows_what_all_have_counted(
    installation: Installation,
) -> None:
    web = installation.start_web("--workers", "2")
    eventually(lambda: len(children_of(web.pid)) == 2, what="both web workers run")
    assert value(installation.url, REFUSED) == 0
    forge(installation, times=40)
    assert {value(installation.url, REFUSED) for _ in range(10)} == {40.0}

    killed = children_of(web.pid)[0]
    os.kill(killed, signal.SIGKILL)
    eventually(
        lambda: len(pids := children_of(web.pid)) == 2 and killed not in pids,
        what="another took its place",
    )
    forge(installation, times=5)
    assert {value(installation.url, REFUSED) for _ in range(10)} == {45.0}

    before = set(children_of(web.pid))
    web.send_signal(signal.SIGHUP)
    eventually(
        lambda: len(pids := children_of(web.pid)) == 2 and before.isdisjoint(pids),
        what="a reload put new ones in their place",
    )
    forge(installation, times=5)
    assert {value(installation.url, REFUSED) for _ in range(10)} == {50.0}

    folder = f"receiver-metrics-{web.pid}-*"
    assert len(list(Path(tempfile.gettempdir()).glob(folder))) == 1
    web.terminate()
    assert web.wait(PATIENCE_SECONDS) == 0
    assert list(Path(tempfile.gettempdir()).glob(folder)) == []


def test_the_worker_shows_its_own(installation: Installation, own_customer: Customer) -> None:
    port = free_port()
    installation.set(worker_metrics_port=port)
    installation.start_web()
    installation.start_worker()
    own_customer.expect(progress={"kind": "at_once"})
    own_customer.create_open()
    own_customer.wait_for_state()
    url = f"http://127.0.0.1:{port}"
    assert value(url, 'receiver_collect_seconds_count{outcome="collected"} ') == 1.0
    account = f'account="{own_customer.account}",outcome="answered"'
    assert (value(url, f"receiver_graph_calls_total{{{account}}} ") or 0) >= 1
    eventually(
        lambda: call("GET", f"{installation.url}/health/ready").json()["status"] == "ok",
        what="the worker's heartbeat is seen",
    )
