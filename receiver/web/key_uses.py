"""When a process last wrote that a key was used: not each use of a key that is always in use."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from receiver.store.keys import Caller

_KEPT_EVERY = timedelta(minutes=1)


class KeyUses:
    """Which uses of keys are to be written, to the minute.

    One that could not be written is not tried again before its time: whoever holds the key would
    wait for the database with each call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried_at: dict[int, datetime] = {}

    def is_due(self, caller: Caller, *, now: datetime) -> bool:
        """Tell whether a use is to be written now; whoever is told so is the only one."""
        with self._lock:
            known = (caller.last_used_at, self._tried_at.get(caller.key_id))
            if any(at is not None and now - at < _KEPT_EVERY for at in known):
                return False
            self._tried_at[caller.key_id] = now
            return True
