"""Look for complete sets on an account's list: one page shows many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from receiver.graph.client import Answered, Credential
from receiver.graph.errors import CallFailed
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import AD_SETS_EDGE, MAX_PAGE_LIMIT
from receiver.graph.wire import SetReading, SetsPage, read_time
from receiver.lifecycle import plan
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.tools import Tools, credential_of
from receiver.lifecycle.waiting import note_usage
from receiver.store import searches
from receiver.store.claims import Claim

_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass
class Swept:
    """What the pages of a sweep showed of the sets that it was made for."""

    found: dict[int, SetReading] = field(default_factory=dict)
    pages: int = 0
    calls: int = 0


def sweep(tools: Tools, claims: Sequence[Claim], *, page_budget: int) -> Swept:
    """Read an account's complete sets until all that are looked for were seen, or could be.

    A list that falls in time is read as far as the oldest of them; any other as far as the budget
    goes. Raises NoPoints, CallFailed, CannotOpen, DatabaseAway.
    """
    account_id = claims[0].account_id
    credential = credential_of(tools, account_id)
    wanted = {claim.facebook_id for claim in claims}
    oldest = min(claim.created_at for claim in claims) - _CLOCKS_DIFFER
    swept = Swept()
    after: str | None = None
    while swept.pages < page_budget:
        try:
            answered = _read_page(tools, credential, account_id, after=after)
        except (CallFailed, NoPoints) as error:
            error.calls += swept.calls
            raise
        swept.pages += 1
        swept.calls += answered.calls
        page = answered.value
        swept.found |= {each.id: each for each in page.sets if each.id in wanted}
        after = page.after
        if after is None or len(swept.found) == len(wanted) or _is_past(page.sets, oldest):
            break
        with tools.database.writing() as session:
            lease_until = plan.lease_until(tools.pace, now=tools.now())
            searches.hold_all(session, claims[0], lease_until=lease_until)
    return swept


def _read_page(
    tools: Tools, credential: Credential, account_id: int, *, after: str | None
) -> Answered[SetsPage]:
    reserve(tools, account_id, cost=READ_POINTS, purpose=Purpose.POLL)
    answered = tools.client.read_complete_sets(
        credential, account_id, edge=AD_SETS_EDGE, after=after, limit=MAX_PAGE_LIMIT
    )
    note_usage(tools, account_id, answered.usage)
    return answered


def _is_past(readings: Sequence[SetReading], oldest: datetime) -> bool:
    """Tell whether a page that falls in time ends before the oldest set that is looked for."""
    times = [read_time(each.created_time) for each in readings]
    known = [moment for moment in times if moment is not None]
    falls = len(known) == len(times) and known == sorted(known, reverse=True)
    return bool(known) and falls and known[-1] < oldest
