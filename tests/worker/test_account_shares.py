from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection

import pytest

from receiver.worker.account_shares import AccountShares

_fork = multiprocessing.get_context("fork")


def hold(shares: AccountShares, account_id: int, told: Connection) -> None:
    """Hold a place until told to end."""
    with shares.place(account_id) as has_place:
        told.send(has_place)
        told.recv()


class Holder:
    """A process that tries to hold a place of an account."""

    def __init__(self, shares: AccountShares, account_id: int) -> None:
        self._ours, theirs = _fork.Pipe()
        self._process = _fork.Process(target=hold, args=(shares, account_id, theirs))
        self._process.start()
        theirs.close()
        self.has_place = self._ours.recv()

    def end(self) -> None:
        self._ours.send(None)
        self._process.join()

    def kill(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()


@pytest.fixture
def shares() -> Iterator[AccountShares]:
    with closing(AccountShares(most=2)) as shares:
        yield shares


def test_so_many_processes_work_for_one_account_and_any_number_for_others(
    shares: AccountShares,
) -> None:
    holders = [Holder(shares, account_id) for account_id in (7, 7, 7, 8, 7, 8)]
    assert [holder.has_place for holder in holders] == [True, True, False, True, False, True]
    for holder in holders:
        holder.end()
    with shares.place(7) as has_place:
        assert has_place


def test_the_place_of_a_process_that_was_killed_is_free_again(shares: AccountShares) -> None:
    killed = [Holder(shares, 7), Holder(shares, 7)]
    for holder in killed:
        holder.kill()
    next_one = Holder(shares, 7)
    assert [holder.has_place for holder in (*killed, next_one)] == [True, True, True]
    next_one.end()


def test_the_largest_account_has_places_of_its_own(shares: AccountShares) -> None:
    holder = Holder(shares, 2**63 - 1)
    assert holder.has_place
    holder.end()
