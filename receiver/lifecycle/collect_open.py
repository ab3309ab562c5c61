"""Read the requests of a set that is still at work into SQL, for somebody who asked for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from receiver.lifecycle import knowledge, plan
from receiver.lifecycle.pages import Unread, Unreadable, read_pages
from receiver.lifecycle.tally import Tally
from receiver.lifecycle.tools import Tools
from receiver.store import claims, looks, results
from receiver.store.claims import Claim, LeaseLost
from receiver.store.database import Session


def collect_open(tools: Tools, claim: Claim) -> bool:
    """Read all pages of the requests of a set at work into SQL, and keep the claim.

    Returns True. Raises NoPoints, CallFailed, LeaseLost, DatabaseAway, CannotOpen.
    """
    started_at = tools.now()
    known = knowledge.of_account(tools, claim.account_id)
    unread, tally = Unread(claim), Tally(started_at)
    while not unread.is_over:
        for read in read_pages(tools, [unread], known=known):
            if isinstance(read, Unreadable):
                raise read.error_after(tally.calls)
            tally = tally.with_page(read, refused=())
            with _holding(tools, claim, calls=tally.calls) as session:
                results.upsert(session, [read.to_store()])
    record = tally.record(ended_at=tools.now())
    with _holding(tools, claim, calls=tally.calls) as session:
        looks.add_look(session, claim, record)
    return True


@contextmanager
def _holding(tools: Tools, claim: Claim, *, calls: int) -> Iterator[Session]:
    """Write under the lease; one that is lost knows what the look had cost."""
    try:
        with tools.database.writing() as session:
            claims.hold(session, claim, lease_until=plan.lease_until(tools.pace, now=tools.now()))
            yield session
    except LeaseLost as lost:
        lost.calls = calls
        raise
