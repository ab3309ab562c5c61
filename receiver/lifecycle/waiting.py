"""Keep the waits that Facebook asks for, on refusals and on answers that succeed alike."""

from __future__ import annotations

from datetime import datetime

import structlog

from receiver.graph.usage import Usage
from receiver.lifecycle import plan
from receiver.lifecycle.tools import Tools
from receiver.store import waits
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)


def keep_wait(tools: Tools, account_id: int, error: Exception) -> datetime | None:
    """Keep the wait that an error asks for, and return until when. Raises DatabaseAway."""
    wait = plan.wait_after(error, now=tools.now())
    if wait is None:
        return None
    with tools.database.writing() as session:
        waits.wait(session, account_id, wait)
    return wait.resume_at


def note_usage(tools: Tools, account_id: int, usage: Usage) -> None:
    """Keep the wait that an answer's usage headers ask for; without a database, only say so."""
    wait = plan.wait_for(usage, now=tools.now())
    if wait is None:
        return
    try:
        with tools.database.writing() as session:
            waits.wait(session, account_id, wait)
    except DatabaseAway as away:
        log.warning("A wait could not be kept", account_id=account_id, reason=str(away))
