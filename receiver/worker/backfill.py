"""Fill in, beside everything else, what a version before this one did not write."""

from __future__ import annotations

from receiver.lifecycle.tools import Tools
from receiver.store import results

INTERVAL_SECONDS = 5.0


def backfill(tools: Tools) -> bool:
    """Fill some rows. Returns whether there were any. Raises DatabaseAway.

    It never ends for good: while a new version is rolled out the old one still writes such rows.
    """
    # Asked first without the write lock, which it would else take again and again for nothing.
    with tools.database.reading() as session:
        if not results.is_any_without_account(session):
            return False
    with tools.database.writing() as session:
        return results.fill_accounts(session) > 0
