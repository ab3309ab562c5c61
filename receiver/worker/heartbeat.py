"""Tell others that this worker is alive: a row in SQL, which they read."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime, timedelta

import structlog

from receiver.lifecycle.tools import Tools
from receiver.store import heartbeats
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 5.0
_KEPT = timedelta(days=1)


class Heartbeat:
    """The row of one worker. The random part of its id tells apart containers that look alike."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._started_at: datetime | None = None

    def beat(self) -> bool:
        """Write the row, and remove those of workers that died long ago. Raises DatabaseAway.

        Returns False: there is nothing more to do before the next interval.
        """
        now = self._tools.now()
        started_at = self._started_at = self._started_at or now
        with self._tools.database.writing() as session:
            heartbeats.beat(session, self.worker_id, started_at=started_at, now=now)
            heartbeats.forget(session, before=now - _KEPT)
        return False

    def end(self) -> None:
        """Remove the row. A database that is away must not hold up an end that is clean."""
        try:
            with self._tools.database.writing() as session:
                heartbeats.end(session, self.worker_id)
        except DatabaseAway as away:
            log.warning("A heartbeat could not be removed", reason=str(away))
