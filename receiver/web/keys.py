"""Who holds the key that a call carries."""

from __future__ import annotations

from datetime import datetime

import structlog
from flask import request

from receiver.crypto import hash_api_key
from receiver.store import keys
from receiver.store.database import DatabaseAway
from receiver.store.keys import Caller
from receiver.web.context import key_uses, parts

log = structlog.get_logger(__name__)


def authorization_key() -> str | None:
    """Return the key of the ``Authorization`` header, be it Bearer or Graph's OAuth."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() in ("bearer", "oauth") else None


def holder_of(key: str) -> Caller | None:
    """Return the key's holder, or None for a string that is no key of ours."""
    now = parts().now()
    with parts().database.reading() as session:
        found = keys.find_caller(session, hash_api_key(key), now=now)
    if found is not None and key_uses().is_due(found, now=now):
        _note_use(found, now=now)
    return found


def _note_use(holder: Caller, *, now: datetime) -> None:
    """Write when a key was last used. A database that cannot write must not keep its holder out."""
    try:
        with parts().database.writing() as session:
            keys.note_use(session, holder.key_id, now=now)
    except DatabaseAway as away:
        log.warning("A key's use could not be kept", key=holder.name, reason=str(away))
