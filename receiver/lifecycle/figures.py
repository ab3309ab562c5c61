"""What SQL says of the whole receiver at one moment, in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from receiver.lifecycle.readiness import TIMEOUT_SECONDS, Readiness, heartbeat_age
from receiver.store import backlog, integrity
from receiver.store.database import Database


@dataclass(frozen=True)
class Figures:
    """The numbers; every count ends at ``backlog.COUNTED_MOST``.

    ``integrity`` holds ``missing``, ``doubled``, ``late`` and ``stuck``.
    """

    readiness: Readiness
    states: Mapping[str, int]
    integrity: Mapping[str, int]


def read(database: Database, *, now: datetime) -> Figures:
    """Read the numbers of every account together. Raises DatabaseAway."""
    with database.probing(timeout_seconds=TIMEOUT_SECONDS) as session:
        return Figures(
            Readiness(
                now,
                heartbeat_age=heartbeat_age(session, now=now),
                backlog=backlog.read(session, now=now),
            ),
            states=backlog.count_states(session),
            integrity=integrity.counts(session, now=now),
        )
