from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from receiver.deadline import SocketDeadlines, socket_deadlines


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_peer_that_drips_is_cut_off_at_the_deadline(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.01):
            try:
                theirs.send(b".")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    with socket_deadlines.guard(ours, seconds=0.15) as guard:
        while ours.recv(1):
            pass
    lasted = time.monotonic() - started
    stop.set()
    thread.join()
    assert guard.expired
    assert 0.15 <= lasted < 10


def test_a_socket_is_left_alone_once_its_block_is_over(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    with socket_deadlines.guard(ours, seconds=0.3) as guard:
        pass
    time.sleep(0.4)
    theirs.send(b"still open")
    assert ours.recv(100) == b"still open"
    assert not guard.expired


def test_a_short_deadline_does_not_wait_behind_a_long_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    started = time.monotonic()
    with socket_deadlines.guard(theirs, seconds=60), socket_deadlines.guard(ours, seconds=0.05):
        assert ours.recv(1) == b""
    assert time.monotonic() - started < 10


def test_half_a_socket_can_be_shut(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    with socket_deadlines.guard(ours, seconds=0.02, how=socket.SHUT_RD):
        assert ours.recv(1) == b""
        ours.send(b"an answer")
    assert theirs.recv(100) == b"an answer"


def test_a_closed_socket_does_not_stop_the_others(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    with socket_deadlines.guard(ours, seconds=0.02):
        ours.close()
        with socket_deadlines.guard(theirs, seconds=0.06):
            assert theirs.recv(1) == b""
            time.sleep(0.08)
    other, _other_end = socket.socketpair()
    with other, _other_end, socket_deadlines.guard(other, seconds=0.02):
        assert other.recv(1) == b""


_FORKING = """
import os, socket
from receiver.deadline import socket_deadlines

ours, theirs = socket.socketpair()
with socket_deadlines.guard(theirs, seconds=60):
    child = os.fork()
    if child == 0:
        with socket_deadlines.guard(ours, seconds=0.05):
            ours.settimeout(5)
            os._exit(len(ours.recv(1)))
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_of_a_fork_keeps_deadlines_of_its_own() -> None:
    # In a process of its own: a fork of this one would take its threads' locks along.
    assert subprocess.run([sys.executable, "-c", _FORKING], check=False).returncode == 0


def threads_of_deadlines() -> int:
    return sum(thread.name == "socket-deadlines" for thread in threading.enumerate())


def test_each_process_needs_only_one_thread(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    deadlines = SocketDeadlines()
    before = threads_of_deadlines()
    with deadlines.guard(ours, seconds=60), deadlines.guard(theirs, seconds=60):
        assert threads_of_deadlines() == before + 1
