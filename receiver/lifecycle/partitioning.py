"""Make the partitions of the months that are to come, before anything needs them."""

from __future__ import annotations

from datetime import datetime

from receiver.store import partitions
from receiver.store.database import Database


def make_ahead(database: Database, *, now: datetime) -> list[str]:
    """Make what lacks for this month and the next two; return the names of what was made.

    Each is made in a transaction of its own. Safe when several do it at once. Raises TableBusy,
    NotOwner, DatabaseAway.
    """
    made: list[str] = []
    while (name := _make_next(database, now=now)) is not None:
        made.append(name)
    return made


def _make_next(database: Database, *, now: datetime) -> str | None:
    with database.writing() as session:
        return partitions.make_next(session, now=now)
