from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.settings import Settings
from receiver.worker.celery_process import CeleryProcess
from tests.support.house import make_settings
from tests.support.loops import wait_until
from tests.support.spawned import finish, never_finish


@pytest.fixture
def events(tmp_path: Path) -> Callable[[], list[str]]:
    """What the processes noted, each with its id."""
    file = tmp_path / "events"
    return lambda: file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(f"sqlite:///{tmp_path}/none.db", "http://graph.test")


@pytest.fixture
def started(settings: Settings) -> Iterator[Callable[..., CeleryProcess]]:
    running: list[CeleryProcess] = []

    def start(run: Callable[[Settings], None]) -> CeleryProcess:
        running.append(CeleryProcess(settings, run=run))
        assert running[-1].keep_alive() is False
        return running[-1]

    yield start
    for process in running:
        process.end()
        process.end()
        process.join()


Start = Callable[[Callable[[Settings], None]], CeleryProcess]
Events = Callable[[], list[str]]


def test_it_finishes_what_it_does_and_is_not_started_again(started: Start, events: Events) -> None:
    process = started(finish)
    wait_until(lambda: len(events()) == 1)
    process.end()
    process.keep_alive()
    process.join()
    assert [event.split()[0] for event in events()] == ["began", "finished"]


def test_one_that_died_is_started_anew_and_one_that_lives_is_not(
    started: Start, events: Events, capsys: pytest.CaptureFixture[str]
) -> None:
    process = started(finish)
    wait_until(lambda: len(events()) == 1)
    process.keep_alive()
    os.kill(int(events()[0].split()[1]), signal.SIGKILL)

    def is_anew() -> bool:
        process.keep_alive()
        return len(events()) == 2

    wait_until(is_anew)
    first, second = (event.split()[1] for event in events())
    assert first != second
    assert "".join(capsys.readouterr()).count("The Celery worker has died") == 1


def test_the_second_time_it_ends_at_once(started: Start, events: Events) -> None:
    process = started(never_finish)
    wait_until(lambda: len(events()) == 1)
    process.end()
    began = time.monotonic()
    process.end()
    process.join()
    assert time.monotonic() - began < 10


def test_one_that_was_never_started_ends(settings: Settings) -> None:
    process = CeleryProcess(settings, run=finish)
    process.end()
    process.keep_alive()
    process.join()
