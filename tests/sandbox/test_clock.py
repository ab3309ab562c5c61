from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest

from receiver.sandbox.clock import VirtualClock
from tests.support.sandbox import (
    GraphCaller,
    Listener,
    SandboxControl,
    running_sandbox,
)

START = datetime(2026, 1, 2, tzinfo=UTC)
AD = {"name": "ad", "adset_id": "5"}


class Source:
    """The real time, as a test wants it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_moved_clock_stays_ahead() -> None:
    source = Source()
    clock = VirtualClock(source)
    clock.move(60)
    clock.move(5)
    source.go_on(1)
    assert clock() == START + timedelta(seconds=66)
    assert clock.ahead_seconds == 65


def test_a_frozen_clock_stands_still_but_can_be_moved() -> None:
    source = Source()
    clock = VirtualClock(source)
    clock.freeze()
    source.go_on(10)
    assert clock() == START
    clock.move(60)
    assert clock() == START + timedelta(seconds=60)


def test_a_thawed_clock_goes_on_from_where_it_stood() -> None:
    source = Source()
    clock = VirtualClock(source)
    clock.freeze()
    source.go_on(10)
    clock.thaw()
    source.go_on(1)
    assert clock() == START + timedelta(seconds=1)
    assert clock.ahead_seconds == -10


def test_a_clock_that_was_reset_shows_the_real_time() -> None:
    source = Source()
    clock = VirtualClock(source)
    clock.move(60)
    clock.freeze()
    clock.reset()
    source.go_on(1)
    assert clock() == source.now


def test_the_clock_has_an_end() -> None:
    clock = VirtualClock(Source())
    with pytest.raises(ValueError, match="ends"):
        clock.move(1000 * 365 * 86_400)
    assert clock() == START


def test_moving_the_clock_lets_happen_what_is_due(
    sandbox: SandboxControl, graph: GraphCaller, listener: Listener
) -> None:
    sandbox.configure(
        "1",
        progress={"kind": "after_seconds", "seconds": 3600},
        notification={"kind": "late", "seconds": 600},
    )
    mode = {"notification_mode": "ON_COMPLETE", "notification_uri": listener.url}
    set_id = graph.create("1", [AD] * 4, **mode)
    sandbox.move_clock(1800)
    shown = graph.get(f"/{set_id}", fields="success_count,is_completed")
    assert (shown["success_count"], shown["is_completed"]) == (2, False)
    sandbox.move_clock(1801)
    assert graph.get(f"/{set_id}")["is_completed"] is True
    assert listener.received == []
    sandbox.move_clock(600)
    listener.wait_for(1)
    (entry,) = sandbox.ledger()
    created, completed = map(
        datetime.fromisoformat, (entry["created_time"], entry["completed_time"])
    )
    assert completed - created == timedelta(hours=1)


def test_one_move_lets_happen_what_follows_from_what_is_due(
    sandbox: SandboxControl, graph: GraphCaller, listener: Listener
) -> None:
    sandbox.configure(
        "1",
        progress={"kind": "after_seconds", "seconds": 3600},
        notification={"kind": "late", "seconds": 600},
    )
    graph.create(
        "1", [AD], notification_mode="ON_COMPLETE", notification_uri=f"{listener.url}/hook"
    )
    sandbox.move_clock(4200)
    assert listener.wait_for(1)[0].target == "/hook"


def test_nothing_happens_by_itself_while_the_clock_is_frozen(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.freeze_clock()
    before = sandbox.clock()
    sandbox.configure("1", progress={"kind": "after_seconds", "seconds": 0.05})
    set_id = graph.create("1", [AD])
    assert graph.get(f"/{set_id}")["is_completed"] is False
    assert (sandbox.clock()["time"], sandbox.clock()["frozen"]) == (before["time"], True)
    sandbox.freeze_clock(frozen=False)
    deadline = time.monotonic() + 10
    while not graph.get(f"/{set_id}")["is_completed"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_times_shown_and_the_reset_follow_the_clock(
    sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.move_clock(86_400)
    set_id = graph.create("1", [AD])
    created = graph.get(f"/{set_id}", fields="created_time")["created_time"]
    shown = datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z")
    assert shown - datetime.now(UTC) > timedelta(hours=23)
    assert sandbox.clock()["ahead_seconds"] == pytest.approx(86_400, abs=1)
    sandbox.reset()
    assert sandbox.clock()["ahead_seconds"] == pytest.approx(0, abs=1)


def test_a_proof_grows_old_by_the_clock() -> None:
    with running_sandbox(app_secret="secret") as control:
        graph = GraphCaller(control.url)
        made_at = str(int(time.time()))
        digest = hmac.new(b"secret", f"token|{made_at}".encode(), hashlib.sha256).hexdigest()
        proof = {"appsecret_proof": digest, "appsecret_time": made_at}
        with graph.session:
            assert "data" in graph.get("/act_1/asyncadrequestsets", **proof)
            control.move_clock(301)
            assert graph.get("/act_1/asyncadrequestsets", **proof)["error"]["code"] == 100
