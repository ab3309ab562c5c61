"""A day in miniature: a million sets through the receiver's pure decisions and a model of Facebook.

Everything happens in one process, without HTTP and SQL, in virtual time. What is counted: points a
set, how long after it was complete a set was collected, and what that took of this machine. Beside
it, for the same sets: an oracle that knows when each is complete (the floor: a create and one
read), and a script that polls each set every 30 seconds, as those with the official SDK do.
"""

from __future__ import annotations

import resource
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.day_facebook import Order, orders
from benchmarks.day_receiver import CALL_SECONDS, Receiver
from benchmarks.figure import Figure
from benchmarks.installation import settings_of, variables
from benchmarks.timing import percentile
from receiver.assembly import build
from receiver.graph.score import READ_POINTS, WRITE_POINTS

_SETS = 1_000_000
_ACCOUNTS = 400
_LOST_SHARE = 0.05
_POLLED_EVERY_SECONDS = 30
_KIBIBYTES_A_MEBIBYTE = 1024
_TOLD_EVERY = 100_000


@dataclass
class _Delays:
    """How long after it was complete each set was collected, in seconds."""

    notified: array[float] = field(default_factory=lambda: array("d"))
    lost: array[float] = field(default_factory=lambda: array("d"))

    def add(self, order: Order, seconds: float) -> None:
        (self.lost if order.is_lost else self.notified).append(seconds)


@dataclass(frozen=True)
class _Who:
    """One way to learn of results: points a set, and percentiles of its delays in seconds."""

    points: float
    notified_p50: float
    notified_p99: float
    lost_p50: float
    lost_p99: float


@dataclass(frozen=True)
class _Day:
    """What one day showed. ``open_most`` is how many sets were open at once."""

    receiver: _Who
    polling: _Who
    oracle_points: float
    missing: int
    looks: int
    open_most: int
    seconds: float
    memory_mib: float


def figures(
    *, rounds: int, say: Callable[[str], None], sets: int = _SETS, accounts: int = _ACCOUNTS
) -> Iterator[Figure]:
    """Let so many days pass, each in a process of its own. Raises RuntimeError where one fails."""
    days = []
    for number in range(rounds):
        days.append(_in_own_process(sets, accounts, seed=number + 1, say=say))
        say(f"day {number + 1} of {rounds}: {days[-1].receiver.points:.2f} points a set")
    yield from _figures(days)


def _figures(days: list[_Day]) -> Iterator[Figure]:
    detail = (
        f"{days[0].open_most:,} sets open at once, {days[0].looks:,} looks, {_LOST_SHARE:.0%} of "
        f"the notifications lost"
    )
    floor, polling = "an oracle: a create and one read", "polling every 30 s"
    yield Figure.of("points a set", [day.receiver.points for day in days], unit="points")
    of_floor = [day.receiver.points / day.oracle_points for day in days]
    yield Figure.of("points", of_floor, unit="x", peer=floor)
    of_polling = [day.receiver.points / day.polling.points for day in days]
    yield Figure.of("points", of_polling, unit="x", peer=polling)
    for name in ("notified_p50", "notified_p99", "lost_p50", "lost_p99"):
        ours = [getattr(day.receiver, name) for day in days]
        theirs = [getattr(day.polling, name) for day in days]
        shown = f"delay, {name.replace('_', ', ')}"
        yield Figure.of(shown, ours, unit="s")
        yield Figure.of(f"{shown}, by {polling}", theirs, unit="s")
    yield Figure.of("missing sets", [day.missing for day in days], unit="sets").at_most(0)
    yield Figure.of("wall time", [day.seconds for day in days], unit="s").with_detail(detail)
    memory = Figure.of("most memory", [day.memory_mib for day in days], unit="MiB")
    yield memory.with_detail(detail)


def _in_own_process(sets: int, accounts: int, *, seed: int, say: Callable[[str], None]) -> _Day:
    """Let a day pass where the memory is all its own. Raises RuntimeError where it does not end."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_send_day, args=(there, sets, accounts, seed))
    process.start()
    there.close()
    try:
        while not isinstance(received := here.recv(), _Day):
            say(received)
    except EOFError as error:
        raise RuntimeError("The day's process ended without a result") from error
    finally:
        process.join()
    return received


def _send_day(answer: Connection, sets: int, accounts: int, seed: int) -> None:
    answer.send(_day(sets, accounts, seed=seed, say=answer.send))


def _day(sets: int, accounts: int, *, seed: int, say: Callable[[str], None]) -> _Day:
    """Let a day pass. Raises RuntimeError where a set was not collected."""
    began = time.perf_counter()
    ours, polled, polled_points, oracle_points = _Delays(), _Delays(), 0, 0

    def collected(order: Order, at: datetime) -> None:
        nonlocal polled_points, oracle_points
        ours.add(order, (at - order.at).total_seconds() - order.seconds)
        polls = ceil(order.seconds / _POLLED_EVERY_SECONDS)
        # The requests are read once the set is seen to be complete.
        seconds = polls * _POLLED_EVERY_SECONDS - order.seconds + CALL_SECONDS * (1 + order.pages)
        polled.add(order, seconds)
        polled_points += WRITE_POINTS + READ_POINTS * (polls + order.pages)
        # The first page comes with the set itself.
        oracle_points += WRITE_POINTS + READ_POINTS * order.pages
        count = len(ours.notified) + len(ours.lost)
        if count % _TOLD_EVERY == 0:
            say(f"{count:,} of {sets:,} sets")

    receiver = _receiver(seed, collected)
    receiver.run(orders(sets=sets, accounts=accounts, lost_share=_LOST_SHARE, seed=seed))
    # Before the delays are sorted, which takes more than all the sets.
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES_A_MEBIBYTE
    count = len(ours.notified) + len(ours.lost)
    if count != sets:
        raise RuntimeError(f"{count} of {sets} sets were collected")
    return _Day(
        receiver=_who(receiver.points / sets, ours),
        polling=_who(polled_points / sets, polled),
        oracle_points=oracle_points / sets,
        missing=receiver.missing,
        looks=receiver.looks,
        open_most=receiver.open_most,
        seconds=time.perf_counter() - began,
        memory_mib=memory_mib,
    )


def _receiver(seed: int, collected: Callable[[Order, datetime], None]) -> Receiver:
    """Make the model with the default settings: of its parts only the pure ones are used."""
    environment = variables("sqlite:////nowhere.db", public_url="http://receiver.example")
    tools = build(settings_of(environment)).tools
    return Receiver(pace=tools.pace, shares=tools.shares, seed=seed, collected=collected)


def _who(points: float, delays: _Delays) -> _Who:
    notified, lost = sorted(delays.notified), sorted(delays.lost)
    return _Who(
        points,
        notified_p50=percentile(notified, 0.5),
        notified_p99=percentile(notified, 0.99),
        lost_p50=percentile(lost, 0.5),
        lost_p99=percentile(lost, 0.99),
    )
