"""Read an edge at Facebook that also holds what others made: sets of an account, requests.

A page's order and freshness are not documented. So an edge is read to its last page once an hour;
in between a reading ends at the first page on which nothing is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from receiver.graph.client import Credential
from receiver.graph.errors import CallFailed, GraphError
from receiver.graph.score import READ_POINTS
from receiver.graph.vocabulary import MAX_PAGE_LIMIT
from receiver.lifecycle import plan
from receiver.lifecycle.shares import Purpose
from receiver.lifecycle.spending import NoPoints, reserve
from receiver.lifecycle.tools import Tools
from receiver.lifecycle.waiting import keep_wait, note_usage
from receiver.secret_forms import hide_tokens
from receiver.store import edges, waits
from receiver.store.edges import EdgeClaim, EdgeLeaseLost, EdgeName

log = structlog.get_logger(__name__)

_WALK_INTERVAL = timedelta(hours=1)


def read_edge(
    tools: Tools,
    credential: Credential,
    name: EdgeName,
    *,
    account_id: int,
    ttl: timedelta,
    is_time_up: Callable[[], bool],
) -> None:
    """Read what is new on an edge into SQL, unless that was done within ``ttl`` or is being done.

    ``account_id`` is whose limits it counts against: one that waits is not asked. Between two pages
    it stops when its time is up; the next reading goes on from there.
    Raises CallFailed, DatabaseAway.
    """
    started_at = tools.now()
    with tools.database.reading() as session:
        is_due = edges.is_due(session, name, read_before=started_at - ttl)
        if not is_due or waits.is_waiting(session, account_id, now=started_at):
            return
    with tools.database.writing() as session:
        claim = edges.claim_reading(
            session,
            name,
            read_before=started_at - ttl,
            lease_until=plan.lease_until(tools.pace, now=started_at),
            now=started_at,
        )
    if claim is None:
        return
    try:
        _read_pages(
            tools,
            credential,
            claim,
            account_id=account_id,
            started_at=started_at,
            is_time_up=is_time_up,
        )
    except EdgeLeaseLost:
        log.warning("A lease ran out before an edge was read", **vars(name))
    except CallFailed as failure:
        # A cursor may have grown too old: the next reading begins anew.
        after = None if isinstance(failure, GraphError) else claim.after
        _finish(tools, claim, after=after)
        keep_wait(tools, account_id, failure)
        raise


def _read_pages(
    tools: Tools,
    credential: Credential,
    claim: EdgeClaim,
    *,
    account_id: int,
    started_at: datetime,
    is_time_up: Callable[[], bool],
) -> None:
    after = claim.after
    has_walked = claim.walked_at is not None and started_at - claim.walked_at < _WALK_INTERVAL
    while True:
        try:
            reserve(tools, account_id, cost=READ_POINTS, purpose=Purpose.POLL)
        except NoPoints:
            # What others made can wait; what is known of it is shown.
            return _finish(tools, claim, after=after)
        answered = tools.client.read_edge(
            credential,
            claim.name.object_id,
            edge=claim.name.edge,
            after=after,
            limit=MAX_PAGE_LIMIT,
        )
        note_usage(tools, account_id, answered.usage)
        after = answered.value.after
        now = tools.now()
        with tools.database.writing() as session:
            is_news = edges.keep_page(
                session,
                claim,
                # A set of ours whose outcome is not known stands there too, with its URL.
                [replace(node, record=hide_tokens(node.record)) for node in answered.value.nodes],
                after=after,
                read_at=now,
                lease_until=plan.lease_until(tools.pace, now=now),
            )
        if after is None:
            return _finish(tools, claim, read_at=started_at, walked_at=started_at)
        if has_walked and not is_news:
            return _finish(tools, claim, read_at=started_at)
        if is_time_up():
            return _finish(tools, claim, after=after)


def _finish(
    tools: Tools,
    claim: EdgeClaim,
    *,
    read_at: datetime | None = None,
    walked_at: datetime | None = None,
    after: str | None = None,
) -> None:
    with tools.database.writing() as session:
        edges.finish_reading(session, claim, read_at=read_at, walked_at=walked_at, after=after)
