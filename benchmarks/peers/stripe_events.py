"""Events as Stripe sends them: signed, each with an id of its own."""

from __future__ import annotations

import hmac
import json
import time
from dataclasses import dataclass

WEBHOOK_ID = "6f1c2f6e-8b5f-4a52-9a2f-0d1b9c3c7b11"
SECRET = "whsec_benchmark"  # noqa: S105  # it protects nothing

_HEAD = (
    "POST /stripe/webhook/{webhook_id}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nAccept: */*; q=0.5\r\n"
    "Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Stripe-Signature: t={at},v1={signature}\r\n\r\n"
)


@dataclass(frozen=True)
class StripeEvents:
    """Events that a balance is available, which is as small as Stripe's events get."""

    most_per_second: int = 3_000

    def build(self, numbers: range) -> list[bytes]:
        at = int(time.time())
        return [_signed(_event(number, at=at), at=at) for number in numbers]


def _event(number: int, *, at: int) -> str:
    amounts = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
    balance = {"object": "balance", "available": amounts, "livemode": False, "pending": amounts}
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-05-27.dahlia",
        "created": at,
        "data": {"object": balance},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "balance.available",
    }
    return json.dumps(event)


def _signed(body: str, *, at: int) -> bytes:
    signature = hmac.digest(SECRET.encode(), f"{at}.{body}".encode(), "sha256").hex()
    head = _HEAD.format(webhook_id=WEBHOOK_ID, length=len(body), at=at, signature=signature)
    return (head + body).encode()
