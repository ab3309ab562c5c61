"""Let go of what a step holds that broke off: others need not wait for its lease to run out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools
from receiver.store import claims
from receiver.store.claims import Claim
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0


@contextmanager
def letting_go(tools: Tools, claim: Claim) -> Iterator[None]:
    """Let go of all that is held under a claim's lease where the block raises anything."""
    try:
        yield
    except Exception:
        let_go(tools, claim)
        raise


def let_go(tools: Tools, claim: Claim) -> None:
    """Make due again what is still held under a claim's lease, as soon as the database answers.

    It is tried until the lease has run out by itself, and for as long as this process has time.
    """
    ends = tools.monotonic() + tools.pace.lease_seconds
    while not _is_let_go(tools, claim):
        if tools.monotonic() >= ends or not tools.wait(_PAUSE_SECONDS):
            log.warning(
                "What a step holds that broke off is free when its lease ends",
                account_id=claim.account_id,
            )
            return


def _is_let_go(tools: Tools, claim: Claim) -> bool:
    now = tools.now()
    try:
        with tools.database.writing() as session:
            sets = claims.let_go(
                session,
                claim,
                due_at=lambda quiet_looks: plan.due_again_at(quiet_looks=quiet_looks, now=now),
            )
    except DatabaseAway:
        return False
    if sets:
        log.info("What a step held that broke off is due again", sets=sets)
    return True
