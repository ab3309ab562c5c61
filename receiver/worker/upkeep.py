"""Look after the tables, beside everything else: partitions to come, and what is too old."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from receiver.lifecycle import partitioning, retention
from receiver.lifecycle.retention import Removed
from receiver.lifecycle.tools import Tools
from receiver.store.partitions import NotOwner, TableBusy

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600.0


class Upkeep:
    """One worker's upkeep: a pass an hour, of small steps. Several workers share the work."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._steps: Iterator[Removed] | None = None
        self._removed = Removed()

    def step(self) -> bool:
        """Do a step of the pass. Returns whether it goes on. Raises DatabaseAway."""
        if self._steps is None:
            self._make_partitions()
            self._removed, self._steps = Removed(), self._begin()
        removed = next(self._steps, None)
        if removed is not None:
            self._removed += removed
            return True
        self._steps = None
        if self._removed != Removed():
            log.info("What is too old was removed", **vars(self._removed))
        return False

    def _begin(self) -> Iterator[Removed]:
        if self._tools.kept_for is None:
            return iter(())
        database = self._tools.database
        before = retention.kept_from(database, self._tools.now() - self._tools.kept_for)
        return retention.steps(database, before=before)

    def _make_partitions(self) -> None:
        try:
            made = partitioning.make_ahead(self._tools.database, now=self._tools.now())
        except (TableBusy, NotOwner) as error:
            log.warning("No partition was made", reason=str(error))
        else:
            if made:
                log.info("Partitions were made", partitions=made)
