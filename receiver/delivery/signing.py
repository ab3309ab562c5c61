"""Sign a message as Standard Webhooks describe it (pure).

https://github.com/standard-webhooks/standard-webhooks: the signed text is ``id.timestamp.body``, a
signature ``v1,<base64 of HMAC-SHA256>``, and several stand side by side while a secret rotates.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


def headers(
    message_id: str, *, body: bytes, timestamp_seconds: int, secrets: Sequence[bytes]
) -> dict[str, str]:
    """Return the three headers of a message: the same id on every retry, the attempt's own time."""
    text = f"{message_id}.{timestamp_seconds}.".encode() + body
    signatures = (hmac.digest(secret, text, "sha256") for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_seconds),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }


def written_secret(secret: bytes) -> str:
    """Return a secret as its holder is given it."""
    return _PREFIX + base64.b64encode(secret).decode()
