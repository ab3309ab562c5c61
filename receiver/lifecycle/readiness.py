"""Whether a process can do its work now, and whether anybody does what is due."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from receiver.store import backlog, heartbeats, migrate
from receiver.store.backlog import Backlog
from receiver.store.database import Database, DatabaseAway, Session
from receiver.store.migrate import SchemaOutdated

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 2.0
"""How long each statement may take on which readiness depends."""

FIGURES_TIMEOUT_SECONDS = 0.5
"""How long each statement may take that only tells how much waits."""

PATIENCE_SECONDS = 4.0
"""How long whoever asks waits at the most."""

HEARTBEAT_LIMIT = timedelta(seconds=30)
"""How old the newest heartbeat may be: one that is due every five seconds was missed often."""


@dataclass(frozen=True)
class Readiness:
    """What was found at one moment; what was not found out is None.

    ``database_ms`` is how long the database took to answer, None where it did not.
    ``heartbeat_age`` is None also where no worker has left a heartbeat; where ``backlog`` is None,
    nobody looked for one.
    """

    checked_at: datetime
    database_ms: float | None = None
    is_schema_current: bool | None = None
    heartbeat_age: timedelta | None = None
    backlog: Backlog | None = None

    @property
    def is_ready(self) -> bool:
        """Whether this process can do its own work: it needs the database, with its tables."""
        return self.database_ms is not None and bool(self.is_schema_current)

    @property
    def has_worker(self) -> bool | None:
        """Whether a worker was alive a moment ago."""
        return None if self.backlog is None else is_recent(self.heartbeat_age)

    @property
    def oldest_due_seconds(self) -> float | None:
        """For how long the oldest set has been due that a worker may take."""
        if self.backlog is None or self.backlog.oldest_due_at is None:
            return None
        return (self.checked_at - self.backlog.oldest_due_at).total_seconds()


def is_recent(heartbeat_age: timedelta | None) -> bool:
    """Tell whether a heartbeat of that age is one of a worker that is alive."""
    return heartbeat_age is not None and heartbeat_age < HEARTBEAT_LIMIT


def check(database: Database, *, now: datetime) -> Readiness:
    """Find out what is ready. What is not is logged with its reason, and raises nothing."""
    began = time.monotonic()
    try:
        with database.probing(timeout_seconds=TIMEOUT_SECONDS) as session:
            migrate.check_within(session)
    except DatabaseAway as away:
        log.warning("Not ready: the database is away", reason=str(away))
        return Readiness(now)
    except SchemaOutdated as outdated:
        log.warning("Not ready: the tables are outdated", reason=str(outdated))
        return Readiness(now, database_ms=_ms_since(began), is_schema_current=False)
    return _with_figures(database, Readiness(now, _ms_since(began), is_schema_current=True))


def _with_figures(database: Database, found: Readiness) -> Readiness:
    """Add what tells how the work goes; a process that cannot find that out is ready, too."""
    now = found.checked_at
    try:
        with database.probing(timeout_seconds=FIGURES_TIMEOUT_SECONDS) as session:
            age, waiting = heartbeat_age(session, now=now), backlog.read(session, now=now)
    except DatabaseAway as away:
        log.warning("What waits could not be counted", reason=str(away))
        return found
    return replace(found, heartbeat_age=age, backlog=waiting)


def heartbeat_age(session: Session, *, now: datetime) -> timedelta | None:
    """Return how old the newest heartbeat is, never below zero; None where there is none."""
    # The clock of the worker's machine may be ahead of ours: a little is nothing, and with more
    # nobody can tell for how long that worker has been dead.
    newest = heartbeats.newest(session, not_after=now + HEARTBEAT_LIMIT)
    return None if newest is None else max(timedelta(0), now - newest)


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
