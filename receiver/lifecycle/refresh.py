"""Look at a set because a caller wants to read it: the same look as the worker's, asked for now."""

from __future__ import annotations

from datetime import datetime

from receiver.graph.errors import CallFailed
from receiver.lifecycle import plan, step
from receiver.lifecycle.collect_open import collect_open
from receiver.lifecycle.letting_go import letting_go
from receiver.lifecycle.put_off import attempt, keep_failure
from receiver.lifecycle.tools import Tools
from receiver.store import claims, intents
from receiver.store.claims import Claim


def refresh(
    tools: Tools, request_set_id: int, *, read_before: datetime | None, with_requests: bool
) -> bool:
    """Look at a set unless that was done after ``read_before``, or somebody is at it.

    ``with_requests`` reads the requests of a set that is not complete too. Returns whether it was
    looked at. What goes wrong only puts the set off, as with any look. Raises DatabaseAway.
    """
    now = tools.now()
    with tools.database.writing() as session:
        claim = claims.claim_for_reader(
            session,
            request_set_id,
            now=now,
            lease_until=plan.lease_until(tools.pace, now=now),
            read_before=read_before,
        )
    if claim is None:
        return False
    # The look at a complete set collects its requests.
    if with_requests and claim.state == intents.OPEN and not _collect(tools, claim):
        return False
    step.work_on(tools, claim)
    return True


def _collect(tools: Tools, claim: Claim) -> bool | None:
    """Read the requests; what Facebook fails to show of them does not stop the look at the set."""
    started_at = tools.now()

    def work() -> bool:
        try:
            return collect_open(tools, claim)
        except CallFailed as error:
            keep_failure(tools, claim, error, kind="requests", started_at=started_at)
            return True

    with letting_go(tools, claim):
        return attempt(tools, claim, kind="requests", work=work)
