"""Tell a set's caller that it is collected: Facebook's own POST, signed, until it was taken."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog

from receiver.delivery import signing
from receiver.delivery.sender import Reply
from receiver.lifecycle.tools import Tools
from receiver.metrics import DELIVERIES
from receiver.store import deliveries
from receiver.store.deliveries import Attempted, DeliveryClaim

log = structlog.get_logger(__name__)

_JITTER = 0.2
_RESPONSE_CHARACTERS = 1024
_LEASE_MARGIN = timedelta(seconds=10)


def claim_next(
    tools: Tools, *, passing_over: Collection[int] = frozenset()
) -> DeliveryClaim | None:
    """Claim the delivery that has been due for longest. Raises DatabaseAway."""
    now = tools.now()
    with tools.database.reading() as session:
        if not deliveries.is_any_due(session, now=now, passing_over=passing_over):
            return None
    lease = timedelta(seconds=tools.sender.timeout_seconds) + _LEASE_MARGIN
    with tools.database.writing() as session:
        return deliveries.claim_due(
            session, now=now, lease_until=now + lease, passing_over=passing_over
        )


def deliver(tools: Tools, claim: DeliveryClaim) -> None:
    """Make one attempt, and write how it went. Raises DatabaseAway.

    A worker that ends before the writing makes the attempt again under the same message id: the
    caller may be told twice, and knows it by that id.
    """
    started_at, began = tools.now(), time.monotonic()
    body = f"id={claim.facebook_id}".encode()
    reply = tools.sender.post(
        claim.uri,
        body=body,
        headers=signing.headers(
            claim.message_id,
            body=body,
            timestamp_seconds=int(started_at.timestamp()),
            secrets=tools.keys.webhook_secrets(claim.api_key_id or 0),
        ),
    )
    attempted = Attempted(
        started_at=started_at,
        duration_ms=round((time.monotonic() - began) * 1000),
        http_status=reply.http_status,
        error=reply.error,
        response=reply.response[:_RESPONSE_CHARACTERS],
    )
    _write(tools, claim, attempted, reply)


def _write(tools: Tools, claim: DeliveryClaim, attempted: Attempted, reply: Reply) -> None:
    now = tools.now()
    state, send_at = what_follows(
        reply,
        number=claim.number,
        schedule_seconds=tools.delivery_retry_seconds,
        now=now,
        chance=tools.chance(),
    )
    with tools.database.writing() as session:
        is_ours = deliveries.finish_attempt(
            session, claim, attempted, state=state, send_at=send_at, now=now
        )
    DELIVERIES.labels("retry" if state == deliveries.PENDING else state).inc()
    if state in (deliveries.FAILED, deliveries.GONE):
        log.error(
            "A caller is not told, and is not tried any more",
            request_set_id=claim.request_set_id,
            account_id=claim.account_id,
            reason=attempted.error or f"HTTP {attempted.http_status}",
        )
    if not is_ours:
        log.warning(
            "A delivery's lease ran out",
            request_set_id=claim.request_set_id,
            account_id=claim.account_id,
        )


def what_follows(
    reply: Reply,
    *,
    number: int,
    schedule_seconds: Collection[float],
    now: datetime,
    chance: float,
) -> tuple[str, datetime | None]:
    """Return a delivery's state after its attempt of that number, and when the next one is due.

    410 ends it (Standard Webhooks). ``chance`` lies between 0 and 1.
    """
    if reply.is_success:
        return deliveries.DELIVERED, None
    if reply.http_status == HTTPStatus.GONE:
        return deliveries.GONE, None
    pauses = list(schedule_seconds)
    if number > len(pauses):
        return deliveries.FAILED, None
    pause = pauses[number - 1] * (1 + _JITTER * chance)
    return deliveries.PENDING, now + timedelta(seconds=pause)
