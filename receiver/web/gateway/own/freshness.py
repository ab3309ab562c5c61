"""Look at Facebook before a caller reads what may have changed since we last did.

Whoever comes first looks, everybody else is answered from SQL at once, and nobody waits for longer
than ``readers.PATIENCE_SECONDS``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from receiver.graph.vocabulary import CREATE_EDGES
from receiver.lifecycle.edges import read_edge
from receiver.lifecycle.refresh import refresh
from receiver.lifecycle.tools import credential_of
from receiver.store import intents, reports, results
from receiver.store.edges import EdgeName
from receiver.store.keys import Caller
from receiver.store.models import RequestSet
from receiver.web.context import parts, readers
from receiver.web.gateway import outgoing
from receiver.web.gateway.faults import Fault

_MOST_SETS = 25
"""How many sets a read of a list looks at: those that are older are looked at by the worker."""

Job = Callable[[], object]


def freshen_set(row: RequestSet, holder: Caller, *, with_requests: bool) -> bool:
    """Look at one set. Returns whether it may have changed since ``row`` was read."""
    return _run(row.account_id, holder, _look(row, with_requests=with_requests))


def look_again(row: RequestSet, holder: Caller) -> None:
    """Look at a set that was changed just now, however lately it was looked at."""
    _run(row.account_id, holder, [_refresh_job(row, read_before=None, with_requests=True)])


def freshen_account(
    account_id: int, holder: Caller, name: EdgeName, *, own_edges: Iterable[str]
) -> None:
    """Look at an account's sets at work, and read what others made on one of its edges."""
    with parts().database.reading() as session:
        rows = reports.sets_at_work(session, account_id, edges=list(own_edges), limit=_MOST_SETS)
    jobs = [job for row in rows for job in _look(row, with_requests=False)]
    _run(account_id, holder, [_edge_job(account_id, name), *jobs])


def freshen_scope(account_id: int, holder: Caller, name: EdgeName) -> None:
    """Look at the sets at work with requests for an object, and read what others asked for it."""
    with parts().database.reading() as session:
        rows = reports.sets_at_work_on(
            session, name.object_id, account_ids=[account_id], limit=_MOST_SETS
        )
        if not rows:
            # Whose requests were never read may have some too.
            rows = reports.sets_at_work(session, account_id, edges=CREATE_EDGES, limit=_MOST_SETS)
    jobs = [job for row in rows for job in _look(row, with_requests=True)]
    _run(account_id, holder, [_edge_job(account_id, name), *jobs])


def _run(account_id: int, holder: Caller, jobs: list[Job]) -> bool:
    """Do the jobs while a slot is free; without one, what is known has to do."""
    if not jobs:
        return False
    try:
        with outgoing.slot(account_id, holder):
            readers().run(jobs, account_id=account_id)
    except Fault:
        return False
    return True


def _look(row: RequestSet, *, with_requests: bool) -> list[Job]:
    """The look at a set that is due for its reader; none for one that cannot have changed."""
    if row.state not in (intents.OPEN, intents.COMPLETED):
        return []
    read_before = parts().now() - _ttl()
    known_at = row.looked_at or row.opened_at
    is_old = known_at is None or known_at <= read_before
    if with_requests:
        with parts().database.reading() as session:
            requests_read_at = results.newest_reading(session, row.id)
        if requests_read_at is None or requests_read_at <= read_before:
            return [_refresh_job(row, read_before=None, with_requests=True)]
    return [_refresh_job(row, read_before=read_before, with_requests=False)] if is_old else []


def _refresh_job(row: RequestSet, *, read_before: datetime | None, with_requests: bool) -> Job:
    return partial(
        refresh, parts().tools, row.id, read_before=read_before, with_requests=with_requests
    )


def _edge_job(account_id: int, name: EdgeName) -> Job:
    tools, ttl = parts().tools, _ttl()
    ends = time.monotonic() + readers().patience_seconds

    def read() -> None:
        credential = credential_of(tools, account_id)
        read_edge(
            tools,
            credential,
            name,
            account_id=account_id,
            ttl=ttl,
            is_time_up=lambda: time.monotonic() > ends,
        )

    return read


def _ttl() -> timedelta:
    return timedelta(seconds=parts().settings.read_ttl_seconds)
