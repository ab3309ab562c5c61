"""Remove what is older than it is kept, one small step after another."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from receiver.store import partitions, retention
from receiver.store.database import Database
from receiver.store.partitions import NotOwner, Partition, TableBusy

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.1
"""Between two steps: a notification that waits for the lock to write goes first."""


@dataclass(frozen=True)
class Removed:
    """What one step removed, or would remove. ``partitions`` are the names of whole ones."""

    sets: int = 0
    requests: int = 0
    notifications: int = 0
    plans: int = 0
    partitions: tuple[str, ...] = ()

    def __add__(self, other: Removed) -> Removed:
        return Removed(
            self.sets + other.sets,
            requests=self.requests + other.requests,
            notifications=self.notifications + other.notifications,
            plans=self.plans + other.plans,
            partitions=self.partitions + other.partitions,
        )


def kept_from(database: Database, moment: datetime) -> datetime:
    """Return from when on everything is kept that is to be kept from a moment on.

    Where months have partitions that is the beginning of its month: a month goes as a whole.
    Raises DatabaseAway.
    """
    with database.reading() as session:
        return partitions.month_of(moment) if partitions.are_there(session) else moment


def steps(database: Database, *, before: datetime) -> Iterator[Removed]:
    """Remove what has been over since before a moment; each step is one transaction.

    Raises DatabaseAway.
    """
    yield from _partitions(database, before=before, removes=True)
    yield from _sets(database, before=before, removes=True)
    yield from _repeated(lambda: _remove_orphans(database, before=before))
    yield from _repeated(lambda: _remove_plans(database, before=before))


def preview(database: Database, *, before: datetime) -> Iterator[Removed]:
    """Return, step by step, which partitions and sets would go. Raises DatabaseAway."""
    yield from _partitions(database, before=before, removes=False)
    yield from _sets(database, before=before, removes=False)


def _partitions(database: Database, *, before: datetime, removes: bool) -> Iterator[Removed]:
    """Drop the partitions that hold only what is old, and nothing of a set that stays."""
    for partition in _old(database, before=before):
        if (yield from _is_over(database, partition, before=before)):
            yield _drop(database, partition) if removes else Removed(partitions=(partition.name,))


def _old(database: Database, *, before: datetime) -> list[Partition]:
    with database.reading() as session:
        if not partitions.are_there(session):
            return []
        found = [one for table in partitions.MOMENTS for one in partitions.of_table(session, table)]
    return [one for one in found if one.until is not None and one.until <= before]


def _is_over(
    database: Database, partition: Partition, *, before: datetime
) -> Generator[Removed, None, bool]:
    """Look through a partition's sets, a page a step; return whether all of them are over."""
    after = 0
    while True:
        with database.reading() as session:
            numbers = retention.sets_in(session, partition, after=after)
            are_over = retention.are_over(session, numbers, before=before)
        if not (numbers and are_over):
            return are_over
        yield Removed()
        after = numbers[-1]


def _drop(database: Database, partition: Partition) -> Removed:
    try:
        with database.writing() as session:
            is_dropped = partitions.drop(session, partition)
    except (TableBusy, NotOwner) as error:
        log.warning("A partition stays for now", partition=partition.name, reason=str(error))
        return Removed()
    return Removed(partitions=(partition.name,) if is_dropped else ())


def _sets(database: Database, *, before: datetime, removes: bool) -> Iterator[Removed]:
    after: int | None = 0
    while after is not None:
        # SQLite has one lock to write, which is not taken only to look.
        with database.writing() if removes else database.reading() as session:
            page = retention.next_page(session, before=before, after=after)
            requests = retention.count_requests(session, page.numbers)
            if removes and page.numbers:
                retention.remove_sets(session, page.numbers)
        yield Removed(len(page.numbers), requests=requests)
        after = page.last


def _repeated(step: Callable[[], Removed]) -> Iterator[Removed]:
    while (removed := step()) != Removed():
        yield removed


def _remove_orphans(database: Database, *, before: datetime) -> Removed:
    with database.writing() as session:
        return Removed(notifications=retention.remove_orphans(session, before=before))


def _remove_plans(database: Database, *, before: datetime) -> Removed:
    with database.writing() as session:
        return Removed(plans=retention.remove_plan(session, before=before))
