"""Who may call: versions, tokens, their accounts, and the proof of holding the app's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls import errors
from receiver.sandbox.calls.ids import AccountId

OLDEST_VERSION = 19
"""The first version that is not deprecated, assumed; newer ones than there are do no harm."""

_PROOF_SECONDS = 300


class AccessToken(BaseModel):
    """A token that somebody made here, for these accounts; for all of them where it names none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(min_length=1)
    accounts: tuple[AccountId, ...] | None = None
    app_id: str = "1"
    user_id: str = "1"
    scopes: tuple[str, ...] = ("ads_management", "ads_read")

    def allows(self, account_id: str) -> bool:
        return self.accounts is None or account_id in self.accounts


def check_version(version: str) -> None:
    """Raise GraphFault for a version that Facebook no longer serves (the facts, section 4)."""
    if int(version[1:].partition(".")[0]) < OLDEST_VERSION:
        raise errors.GraphFault(
            "(#2635) You are calling a deprecated version of the Ads API. Please update to the "
            "latest version.",
            2635,
        )


def find_token(parameters: Mapping[str, Any], *, authorization: str) -> str:
    """Return the call's token, from its parameters or its header; an empty one for none."""
    token = parameters.get("access_token")
    if isinstance(token, str) and token:
        return token
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def check_token(token: str, *, tokens: Mapping[str, AccessToken], is_strict: bool) -> None:
    """Raise GraphFault for no token, and for one that begins with ``invalid`` or ``expired``.

    A strict sandbox takes only the ``tokens`` that were made here.
    """
    if not token:
        raise errors.no_token()
    if token.startswith("invalid") or (is_strict and token not in tokens):
        raise errors.invalid_token()
    if token.startswith("expired"):
        raise errors.expired_token()


def check_accounts(token: AccessToken, accounts: Iterable[str | None]) -> None:
    """Raise GraphFault for an account that the token is not for; None is one nobody knows."""
    for account in accounts:
        if account is not None and not token.allows(account):
            raise errors.GraphFault(
                f"(#200) The access token has no permission for the ad account act_{account}.",
                200,
                http_status=403,
            )


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
