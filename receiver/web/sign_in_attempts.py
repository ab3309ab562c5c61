"""How often an address may try to sign in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

_MOST = 10
_WITHIN = timedelta(minutes=1)
_ADDRESSES_MOST = 10_000


class SignInAttempts:
    """The failed attempts of each address in the last minute, in one process.

    A key cannot be guessed; this keeps who tries from asking the database for nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, list[datetime]] = OrderedDict()

    def are_too_many(self, address: str, *, now: datetime) -> bool:
        """Tell whether an address has to wait."""
        with self._lock:
            return len(self._recent(address, now)) >= _MOST

    def note_failure(self, address: str, *, now: datetime) -> None:
        """Note that an address tried with what is no key."""
        with self._lock:
            self._failed[address] = [*self._recent(address, now), now]
            self._failed.move_to_end(address)
            while len(self._failed) > _ADDRESSES_MOST:
                self._failed.popitem(last=False)

    def _recent(self, address: str, now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(address, ()) if now - at < _WITHIN]
