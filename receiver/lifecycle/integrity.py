"""The two numbers that must be zero, with the rows behind them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.store import integrity
from receiver.store.database import Database
from receiver.store.integrity import Counted, Rows


@dataclass(frozen=True)
class Integrity:
    """What SQL says of the promises at one moment; counts end at ``integrity.COUNTED_MOST``.

    ``reconciled`` is, of each account, the newest comparison with Facebook itself: without one the
    numbers say only what the receiver knows. ``orphans`` are notifications without an intent.
    """

    counted_at: datetime
    missing: Counted
    doubled: Counted
    late: Counted
    stuck: Counted
    orphans: Rows
    reconciled: dict[int, dict[str, Any]]

    @property
    def is_whole(self) -> bool:
        """Whether both numbers are zero."""
        return self.missing.count == 0 and self.doubled.count == 0


def check(database: Database, account_ids: Collection[int] | None, *, now: datetime) -> Integrity:
    """Count what is missing and doubled; ``account_ids`` None stands for every account.

    Orphans belong to no account: they are shown only to those who may see all. Raises DatabaseAway.
    """
    with database.reading() as session:
        doubled = integrity.doubled(session, account_ids)
        found = integrity.found_sets(session, [row["id"] for row in doubled.rows])
        for row in doubled.rows:
            row["found_sets"] = found.get(row["id"], [])
        return Integrity(
            counted_at=now,
            missing=integrity.missing(session, account_ids, now=now),
            doubled=doubled,
            late=integrity.late(session, account_ids, now=now),
            stuck=integrity.stuck(session, account_ids),
            orphans=integrity.orphans(session) if account_ids is None else [],
            reconciled=integrity.newest_reconciliations(session, account_ids),
        )
