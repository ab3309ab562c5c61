"""Keep the waits that Facebook asks for, on refusals and on answers that succeed, and obey them."""

from __future__ import annotations

from datetime import datetime

import structlog

from receiver.graph.errors import CallFailed
from receiver.graph.usage import Usage
from receiver.lifecycle import plan
from receiver.lifecycle.spending import NoPoints, correct, told_to_wait
from receiver.lifecycle.tools import Tools
from receiver.store import waits
from receiver.store.database import DatabaseAway

log = structlog.get_logger(__name__)


class AccountParked(Exception):
    """Nothing is asked for an account until a person did something; the message says what."""


def check_wait(tools: Tools, account_id: int) -> None:
    """Raise NoPoints while Facebook asked to ask nothing for an account, or for its whole app.

    Raises AccountParked where only a person ends the wait, and DatabaseAway.
    """
    with tools.database.reading() as session:
        wait = waits.of_account(session, account_id, now=tools.now())
    if wait is None:
        return
    if wait.parked_reason is not None:
        raise AccountParked(
            f"Nothing is asked of Facebook for act_{account_id}: {wait.parked_reason} Once the "
            f"reason is mended, 'receiver account resume act_{account_id}' goes on with it."
        )
    raise told_to_wait(account_id, wait)


def keep_wait(tools: Tools, account_id: int, error: Exception) -> datetime | None:
    """Keep the wait that an error asks for, and return until when.

    None where it asks for none, or for a person. Raises DatabaseAway.
    """
    if isinstance(error, NoPoints):
        return error.resume_at
    if isinstance(error, CallFailed):
        correct(tools, account_id, error.usage)
    wait = plan.wait_after(error, now=tools.now())
    if wait is None:
        return None
    if wait.parked_reason is not None:
        log.error(
            "An account is parked",
            account_id=account_id,
            reason=wait.parked_reason,
            fbtrace_id=error.fbtrace_id if isinstance(error, CallFailed) else None,
        )
    with tools.database.writing() as session:
        waits.wait(session, account_id, wait)
    # A person ends a wait without an end, long before a set would be looked at by then.
    return None if wait.parked_reason is not None else wait.resume_at


def note_usage(tools: Tools, account_id: int, usage: Usage) -> None:
    """Keep what an answer's usage headers say and ask for; without a database, only say so."""
    correct(tools, account_id, usage)
    wait = plan.wait_for(usage, now=tools.now())
    if wait is None:
        return
    try:
        with tools.database.writing() as session:
            waits.wait(session, account_id, wait)
    except DatabaseAway as away:
        log.warning("A wait could not be kept", account_id=account_id, reason=str(away))
