"""What the protocol says of tokens, without I/O: their proof, and what Facebook says of one."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from receiver.graph.json_values import read_flag, read_id, read_text
from receiver.graph.wire import Call, read_object


def appsecret_proof(token: str, app_secret: str) -> str:
    """Return the proof that the caller of a token holds its app's secret (the facts, section 7)."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def read_token(token: str) -> Call:
    """Read what Facebook says of a token (the facts, section 7)."""
    return Call("GET", "debug_token", {"input_token": token})


@dataclass(frozen=True)
class TokenShown:
    """A token as Facebook describes it. ``problem`` is why it is not valid, in Facebook's words.

    ``ends_at`` is the earlier of the moments at which it, or its access to data, ends; None where
    neither does.
    """

    is_valid: bool
    ends_at: datetime | None
    scopes: tuple[str, ...]
    problem: str | None


def read_token_shown(value: Any) -> TokenShown:
    """Read the description of a token. Raises WrongShape."""
    data = read_object(read_object(value).get("data"))
    scopes = data.get("scopes")
    problem = data.get("error")
    ends = [_ends_at(data.get(name)) for name in ("expires_at", "data_access_expires_at")]
    return TokenShown(
        is_valid=read_flag(data.get("is_valid")),
        ends_at=min((each for each in ends if each is not None), default=None),
        scopes=tuple(map(str, scopes)) if isinstance(scopes, list) else (),
        problem=read_text(problem.get("message")) if isinstance(problem, dict) else None,
    )


def _ends_at(seconds: Any) -> datetime | None:
    """Read a moment in seconds of Unix time; 0 stands for never."""
    number = read_id(seconds)
    try:
        return datetime.fromtimestamp(number, tz=UTC) if number else None
    except (ValueError, OverflowError, OSError):
        return None
