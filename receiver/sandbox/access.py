"""Who may call: tokens and the proof that the caller holds the app's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.sandbox import errors

_PROOF_SECONDS = 300


def find_token(parameters: Mapping[str, Any], *, authorization: str) -> str:
    """Return the call's token, from its parameters or its header; an empty one for none."""
    token = parameters.get("access_token")
    if isinstance(token, str) and token:
        return token
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def check_token(token: str) -> None:
    """Raise GraphFault for no token, and for one that begins with ``invalid`` or ``expired``."""
    if not token:
        raise errors.no_token()
    if token.startswith("invalid"):
        raise errors.invalid_token()
    if token.startswith("expired"):
        raise errors.expired_token()


def check_proof(
    parameters: Mapping[str, Any], *, token: str, app_secret: str, now: datetime
) -> None:
    """Check ``appsecret_proof``, the hex HMAC-SHA256 of the token under the app's secret.

    With ``appsecret_time`` the message is ``token|time``, good for five minutes (the facts,
    section 7).

    Raises GraphFault for a missing or a wrong proof.
    """
    proof = str(parameters.get("appsecret_proof") or "")
    if not proof:
        raise errors.missing_proof()
    message = token
    if parameters.get("appsecret_time"):
        time = str(parameters["appsecret_time"])
        message = f"{token}|{time}"
        if not _is_recent(time, now=now):
            raise errors.wrong_proof()
    expected = hmac.new(_encode(app_secret), _encode(message), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(_encode(proof), expected.encode()):
        raise errors.wrong_proof()


def _is_recent(time: str, *, now: datetime) -> bool:
    if not time.isascii() or not time.isdigit() or len(time) > len("9999999999"):
        return False
    return abs(now.timestamp() - int(time)) <= _PROOF_SECONDS


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
