"""Look once more whether what was sent twice is there twice: after an hour, and after a day."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from receiver.graph.errors import CallFailed
from receiver.lifecycle import listing
from receiver.lifecycle.evidence import Sweep
from receiver.lifecycle.resolve import open_found
from receiver.lifecycle.spending import NoPoints
from receiver.lifecycle.tools import Tools, credential_that_sent
from receiver.lifecycle.waiting import keep_wait
from receiver.store import searches
from receiver.store.searches import Recheck

log = structlog.get_logger(__name__)

_RETRIED_AFTER = timedelta(minutes=15)
_LAST_AFTER = timedelta(days=1)


def recheck_next(tools: Tools) -> bool:
    """Recheck the set that has been due for longest. Returns whether one was due.

    Raises DatabaseAway, CannotOpen.
    """
    now = tools.now()
    with tools.database.reading() as session:
        if not searches.is_recheck_due(session, now=now):
            return False
    with tools.database.writing() as session:
        recheck = searches.claim_recheck(session, now=now, again_at=now + _RETRIED_AFTER)
    if recheck is None:
        return False
    with bound_contextvars(request_set_id=recheck.request_set_id, account_id=recheck.account_id):
        _recheck(tools, recheck, now=now)
    return True


def _recheck(tools: Tools, recheck: Recheck, *, now: datetime) -> None:
    try:
        sweep = _read(tools, recheck)
    except (CallFailed, NoPoints) as failure:
        keep_wait(tools, recheck.account_id, failure)
        return
    if sweep.is_whole:
        _write(tools, recheck, sweep, now=now)


def _read(tools: Tools, recheck: Recheck) -> Sweep:
    credential = credential_that_sent(
        tools, recheck.sent.credential_id, account_id=recheck.account_id
    )
    sweep = Sweep()
    for answered in listing.pages(
        tools, credential, recheck.account_id, edge=recheck.edge, into=sweep
    ):
        sweep.add(tools.keys, answered.value.sets)
    return sweep


def _write(tools: Tools, recheck: Recheck, sweep: Sweep, *, now: datetime) -> None:
    """Keep every set that names the intent; more than one of them is a doubled set.

    One that was refused the second time may be there from the first.
    """
    sets = sweep.sets_of(recheck.request_set_id)
    last_at = (recheck.opened_at or recheck.sent.written_at) + _LAST_AFTER
    with tools.database.writing() as session:
        if sets:
            open_found(session, recheck.sent.attempt, sets, now=now)
        searches.finish_recheck(session, recheck, recheck_at=last_at if now < last_at else None)
    if len(sets) > 1:
        log.error("Facebook has a set twice", ids=sorted(sets))
