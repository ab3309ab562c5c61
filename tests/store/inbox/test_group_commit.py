from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.store.inbox.group_commit import GroupCommit, NotCommitted


class Committer:
    """Commits what it is given, and can be held in the middle of a commit."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.may_end.set()
        self.error: BaseException | None = None

    def __call__(self, rows: Sequence[int]) -> list[Exception | None]:
        self.begun.release()
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        self.batches.append(list(rows))
        return [ValueError(f"{row} is bad") if row < 0 else None for row in rows]

    @property
    def rows(self) -> list[int]:
        return sorted(row for batch in self.batches for row in batch)


@pytest.fixture
def committer() -> Committer:
    return Committer()


@pytest.fixture
def group(committer: Committer) -> GroupCommit[int]:
    return GroupCommit(committer, timeout_seconds=10)


def hold(committer: Committer, group: GroupCommit[int], pool: ThreadPoolExecutor) -> None:
    """Let one thread begin a commit, and keep it there."""
    committer.may_end.clear()
    pool.submit(group.put, 0)
    assert committer.begun.acquire(timeout=10)


def wait_for(group: GroupCommit[int], count: int) -> None:
    while len(group._pending) < count:
        threading.Event().wait(0.001)


def test_what_comes_during_a_commit_is_one_transaction_after_it(
    committer: Committer, group: GroupCommit[int]
) -> None:
    with ThreadPoolExecutor(9) as pool:
        hold(committer, group, pool)
        others = [pool.submit(group.put, row) for row in range(1, 9)]
        wait_for(group, 8)
        assert not any(other.done() for other in others)
        committer.may_end.set()
        for other in others:
            other.result(10)
    first, second = committer.batches
    assert (first, sorted(second)) == ([0], list(range(1, 9)))


def test_every_row_of_many_threads_is_committed_once(
    committer: Committer, group: GroupCommit[int]
) -> None:
    def put_all(start: int) -> None:
        for row in range(start, start + 200):
            group.put(row)

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(put_all, 1000 * number) for number in range(16)]:
            future.result(30)
    assert committer.rows == sorted(1000 * n + row for n in range(16) for row in range(200))


def test_a_row_that_is_refused_is_told_to_its_own_caller_only(
    committer: Committer, group: GroupCommit[int]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        hold(committer, group, pool)
        bad, good = pool.submit(group.put, -1), pool.submit(group.put, 1)
        wait_for(group, 2)
        committer.may_end.set()
        good.result(10)
        with pytest.raises(ValueError, match="-1 is bad"):
            bad.result(10)
    assert len(committer.batches) == 2


def test_a_commit_that_fails_is_told_to_all_and_the_next_one_is_made(
    committer: Committer, group: GroupCommit[int]
) -> None:
    committer.error = ConnectionError("the database is away")
    with ThreadPoolExecutor(4) as pool:
        hold(committer, group, pool)
        others = [pool.submit(group.put, row) for row in (1, 2, 3)]
        wait_for(group, 3)
        committer.may_end.set()
        for other in others:
            with pytest.raises(ConnectionError, match="away"):
                other.result(10)
    committer.error = None
    group.put(4)
    assert committer.rows == [4]


def test_a_thread_that_is_ended_in_a_commit_takes_nobody_with_it(
    committer: Committer, group: GroupCommit[int]
) -> None:
    committer.error = SystemExit()
    with pytest.raises(SystemExit):
        group.put(1)
    committer.error = None
    group.put(2)
    assert committer.rows == [2]


def test_whoever_waits_for_too_long_is_told_and_its_row_is_not_committed_later(
    committer: Committer,
) -> None:
    group: GroupCommit[int] = GroupCommit(committer, timeout_seconds=0.05)
    with ThreadPoolExecutor(2) as pool:
        hold(committer, group, pool)
        with pytest.raises(NotCommitted):
            group.put(1)
        committer.may_end.set()
    group.put(2)
    assert committer.rows == [0, 2]


def test_jobs_in_one_thread_are_one_transaction(
    committer: Committer, group: GroupCommit[int]
) -> None:
    told: list[int] = []

    def job(row: int) -> str:
        group.put(row)
        told.append(row)
        return f"{row} is kept"

    futures = group.run_together([lambda row=row: job(row) for row in range(5)])  # type: ignore[misc]  # the default binds each

    assert committer.batches == [[0, 1, 2, 3, 4]]
    assert told == [0, 1, 2, 3, 4]
    assert [future.result() for future in futures] == [f"{row} is kept" for row in range(5)]


def test_no_job_takes_others_with_it(committer: Committer, group: GroupCommit[int]) -> None:
    def fails_before() -> None:
        raise ZeroDivisionError

    def fails_after() -> None:
        group.put(1)
        raise ZeroDivisionError

    def puts_nothing() -> str:
        return "nothing"

    def puts_twice() -> str:
        group.put(2)
        group.put(3)
        return "twice"

    before, bad, after, nothing, twice = group.run_together(
        [fails_before, lambda: group.put(-1), fails_after, puts_nothing, puts_twice]
    )

    assert isinstance(before.exception(), ZeroDivisionError)
    assert isinstance(bad.exception(), ValueError)
    assert isinstance(after.exception(), ZeroDivisionError)
    assert (nothing.result(), twice.result()) == ("nothing", "twice")
    assert committer.batches == [[-1, 1, 2], [3]]


def test_jobs_that_put_nothing_commit_nothing(
    committer: Committer, group: GroupCommit[int]
) -> None:
    (future,) = group.run_together([lambda: "answered"])

    assert (future.result(), committer.batches) == ("answered", [])


def test_jobs_beside_threads_share_their_transactions(
    committer: Committer, group: GroupCommit[int]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        hold(committer, group, pool)
        jobs = pool.submit(group.run_together, [lambda: group.put(1), lambda: group.put(2)])
        single = pool.submit(group.put, 3)
        wait_for(group, 2)
        committer.may_end.set()
        single.result(10)
        assert [future.exception() for future in jobs.result(10)] == [None, None]
    assert [sorted(batch) for batch in committer.batches] == [[0], [1, 2, 3]]
