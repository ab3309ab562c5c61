"""People's sessions: begun with a key, kept in SQL, named by a signed cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from flask import Flask, session

from receiver.crypto import Keys
from receiver.store import keys
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.keys import holder_of

_LASTS = timedelta(hours=12)
_NAME = "sign_in"


def configure(app: Flask, signing: Keys, *, is_https: bool) -> None:
    """Say how cookies are signed and kept: out of scripts, and on https only where that is used."""
    newest, *older = signing.cookie_keys()
    app.config.update(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="receiver_session",
        SESSION_COOKIE_PATH="/admin",
        SESSION_COOKIE_HTTPONLY=True,
        # A link to a page that somebody shares has to work for who is signed in.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        # The dashboard's forms are checked by its blueprint; the APIs take no cookie.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=is_https,
        WTF_CSRF_TIME_LIMIT=None,
    )


def begin(key: str) -> Caller | None:
    """Begin a session with a key; None for a string that is no key of ours. Raises DatabaseAway."""
    caller = holder_of(key)
    if caller is None:
        return None
    token, now = secrets.token_urlsafe(32), parts().now()
    with parts().database.writing() as writing:
        keys.sign_in(writing, caller, token_hash=_hash(token), expires_at=now + _LASTS, now=now)
    session.clear()
    session[_NAME] = token
    return caller


def current() -> Caller | None:
    """Return who is signed in; None once the session or its key has ended. Raises DatabaseAway."""
    token = session.get(_NAME)
    if not isinstance(token, str):
        return None
    with parts().database.reading() as reading:
        return keys.find_signed_in(reading, _hash(token), now=parts().now())


def end() -> None:
    """End the present session. Raises DatabaseAway."""
    token = session.get(_NAME)
    if isinstance(token, str):
        with parts().database.writing() as writing:
            keys.sign_out(writing, _hash(token))
    session.clear()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
