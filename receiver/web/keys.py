"""Who holds the key that a call carries."""

from __future__ import annotations

from flask import request

from receiver.crypto import hash_api_key
from receiver.store import keys
from receiver.store.keys import Caller
from receiver.web.context import parts


def authorization_key() -> str | None:
    """Return the key of the ``Authorization`` header, be it Bearer or Graph's OAuth."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() in ("bearer", "oauth") else None


def holder_of(key: str) -> Caller | None:
    """Return the key's holder, or None for a string that is no key of ours."""
    with parts().database.reading() as session:
        return keys.find_caller(session, hash_api_key(key), now=parts().now())
