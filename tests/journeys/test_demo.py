"""``receiver demo`` as a new user runs it: to its end, and broken off in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli.demo.story import STORY
from receiver.cli.processes import plain_environment
from tests.support.processes import eventually

SECONDS = 90


@contextlib.contextmanager
def heeding(*signals: signal.Signals) -> Iterator[None]:
    """Let processes heed signals that the tests' own process may have been started to ignore."""
    before = [(each, signal.signal(each, signal.SIG_DFL)) for each in signals]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demo with its temporary files in a folder, and no terminal."""
    with heeding(signal.SIGINT, signal.SIGHUP):
        process = subprocess.Popen(
            [sys.executable, "-m", "receiver", "demo"],
            env={**plain_environment(), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    with process:
        try:
            yield process
        finally:
            # Only a test that failed has anything left to end.
            process.terminate()


def processes_in(folder: Path) -> list[str]:
    """The command lines of the processes that work in a folder, there or gone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(process.joinpath("cwd").readlink()).startswith(str(folder)):
                found.append(process.joinpath("cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.drill
def test_the_demo_ends_by_itself_with_nothing_missing_and_nothing_doubled(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        output, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, output
    *_, last = output.splitlines()
    assert last == "missing 0  doubled 0"
    _, _, table = output.rpartition("\nset ")
    for chapter in STORY:
        (line,) = [line for line in table.splitlines() if line.startswith(chapter.name)]
        numbers = line.removeprefix(chapter.name).split()[:3]
        assert [int(number) for number in numbers] == [
            chapter.ads,
            chapter.ads - chapter.failing,
            chapter.failing,
        ]
    assert processes_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.drill
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "hang-up"])
def test_the_demo_broken_off_in_its_middle_leaves_nothing_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    with demo(tmp_path) as process:
        eventually(lambda: len(processes_in(tmp_path)) >= 3, what="processes", seconds=SECONDS)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Starting ")
        assert process.stdout.readline().startswith("Creating ")

        os.kill(process.pid, how)
        output, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 1
    assert output.splitlines()[-1] == "Stopped."
    assert processes_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
