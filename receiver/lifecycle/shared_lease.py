"""The lease that one worker's claims on an account share, kept for as long as it works on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools
from receiver.store import searches
from receiver.store.claims import Claim

_KEPT_EVERY = 1 / 3
"""After which share of a lease it is extended."""


@dataclass
class SharedLease:
    """``claim`` is any of the claims; ``held_at`` is when all of them were held last."""

    tools: Tools
    claim: Claim
    held_at: datetime

    def keep(self) -> None:
        """Extend the lease of what is still held, once it is time to. Raises DatabaseAway.

        Many sets outlast a lease: without this, another worker would read them a second time.
        """
        now, pace = self.tools.now(), self.tools.pace
        if now - self.held_at < timedelta(seconds=pace.lease_seconds * _KEPT_EVERY):
            return
        with self.tools.database.writing() as session:
            searches.hold_all(session, self.claim, lease_until=plan.lease_until(pace, now=now))
        self.held_at = now
