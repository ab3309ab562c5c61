"""Sign and open the tokens of notification URLs, seal and open secrets. Keys are handed in.

A token is ``<key id>.<intent>.<attempt>.<mac>``: an HMAC-SHA256 cut to 128 bits over what stands
before it, signed with the newest key. One text is the token of an intent's attempt under a key,
and no other: what differs in a single character is refused, malformed and forged alike.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INTENT_LIMIT = 2**63
_ATTEMPT_LIMIT = 2**31
_NAMED = r"([1-9][0-9]{0,18})\.([1-9][0-9]{0,9})"
_TOKEN = re.compile(rf"([0-9a-f]{{8}})\.{_NAMED}\.[A-Za-z0-9_-]{{22}}")
_TAG = re.compile(rf" \[rcv:{_NAMED}\.([A-Za-z0-9_-]{{8}})\]\Z")
_MAC_BYTES = 16
_CHECK_CHARACTERS = 8


class CannotOpen(Exception):
    """A sealed secret does not open with any of the keys."""


@dataclass(frozen=True)
class Token:
    """What a notification URL names: an intent, its attempt, and the key that signed it."""

    key_id: str
    intent: int
    attempt: int


@dataclass(frozen=True)
class Tag:
    """What the end of a set's name names. ``check`` begins its token's MAC."""

    intent: int
    attempt: int
    check: str


class Keys:
    """What is derived from the secret keys, newest first.

    The newest signs and seals; every one of them still verifies and opens.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._signing = {
            _derive(key, label="key id", length=4).hex(): _derive(key, label="signing")
            for key in secret_keys
        }
        self._secret_keys = tuple(secret_keys)
        self.ids = tuple(self._signing)
        """The short ids of the keys, newest first: they tell nothing of the keys themselves."""
        self._sealing = {
            key_id: Fernet(base64.urlsafe_b64encode(_derive(key, label="sealing")))
            for key_id, key in zip(self.ids, secret_keys, strict=True)
        }

    @property
    def newest_id(self) -> str:
        """The id of the key that signs and seals."""
        return self.ids[0]

    def cookie_keys(self) -> list[str]:
        """Return the keys that cookies are signed with, newest first."""
        return [_derive(key, label="cookies").hex() for key in self._secret_keys]

    def sign_token(self, *, intent: int, attempt: int) -> str:
        """Return the URL-safe token of an intent's attempt.

        Raises ValueError for numbers that no token can name.
        """
        if not (0 < intent < _INTENT_LIMIT and 0 < attempt < _ATTEMPT_LIMIT):
            raise ValueError(f"no token can name attempt {attempt} of intent {intent}")
        return self._signed(self.newest_id, intent=intent, attempt=attempt)

    def open_token(self, token: str) -> Token | None:
        """Return what a token names; None for every text that is not a token of ours."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        named = Token(match[1], intent=int(match[2]), attempt=int(match[3]))
        if named.key_id not in self._signing or not _in_range(named):
            return None
        expected = self._signed(named.key_id, intent=named.intent, attempt=named.attempt)
        return named if hmac.compare_digest(expected, token) else None

    def token_in_uri(self, uri: str) -> Token | None:
        """Return what the token in a notification URI names, whatever its host; None without one.

        What stands before ``/notifications/`` is not looked at: the public URL may have changed.
        """
        path = re.split(r"[?#]", uri, maxsplit=1)[0]
        _, found, rest = path.rpartition("/notifications/")
        return self.open_token(rest.partition("/")[0]) if found else None

    def tag(self, token: str) -> str:
        """Return the tag of a token of ours: it ends the set's name at Facebook."""
        _, intent, attempt, mac = token.split(".")
        return f" [rcv:{intent}.{attempt}.{mac[:_CHECK_CHARACTERS]}]"

    def parse_tag(self, name: str) -> Tag | None:
        """Return the tag that ends a set's name; None for a name without a tag of ours."""
        match = _TAG.search(name)
        if match is None:
            return None
        tag = Tag(int(match[1]), attempt=int(match[2]), check=match[3])
        if not _in_range(tag):
            return None
        checks = [
            self._mac(f"{key_id}.{tag.intent}.{tag.attempt}", key_id=key_id)[:_CHECK_CHARACTERS]
            for key_id in self._signing
        ]
        return tag if any(hmac.compare_digest(check, tag.check) for check in checks) else None

    def remove_tag(self, name: str) -> str:
        """Return a set's name as its caller gave it: without a tag of ours at its end."""
        return name if self.parse_tag(name) is None else _TAG.sub("", name)

    def webhook_secrets(self, api_key_id: int) -> tuple[bytes, ...]:
        """Return the secrets that sign what a key's holder is told: one of each key, newest first.

        Nobody has to keep them: they follow from the secret keys, and rotate with them.
        """
        label = f"webhook {api_key_id}"
        return tuple(_derive(key, label=label) for key in self._secret_keys)

    def seal(self, text: str) -> bytes:
        """Encrypt a secret for the database."""
        return self._sealing[self.newest_id].encrypt(text.encode())

    def sealed_with(self, data: bytes) -> str | None:
        """Return the id of the key that sealed a secret; None where it is none of ours."""
        for key_id, sealing in self._sealing.items():
            with contextlib.suppress(InvalidToken):
                sealing.decrypt(data)
                return key_id
        return None

    def open_sealed(self, data: bytes) -> str:
        """Decrypt a secret. Raises CannotOpen when none of the keys sealed it."""
        try:
            return MultiFernet(list(self._sealing.values())).decrypt(data).decode()
        except InvalidToken:
            raise CannotOpen(
                "None of the keys in RECEIVER_SECRET_KEYS opens a stored secret: add the key that "
                "sealed it, behind the newest, or store the secret again."
            ) from None

    def _signed(self, key_id: str, *, intent: int, attempt: int) -> str:
        text = f"{key_id}.{intent}.{attempt}"
        return f"{text}.{self._mac(text, key_id=key_id)}"

    def _mac(self, text: str, *, key_id: str) -> str:
        digest = hmac.digest(self._signing[key_id], text.encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:_MAC_BYTES]).decode().rstrip("=")


def new_api_key() -> str:
    """Make a key for a caller of the receiver: 256 random bits."""
    return f"rcv_{secrets.token_urlsafe(32)}"


def hash_api_key(key: str) -> bytes:
    """Return the hash under which a caller's key is stored and found.

    A key has too much entropy to be guessed from its hash, so no slow hash is needed, and a hash
    without salt can be looked up by an index.
    """
    # What a stranger sends in JSON may hold a lone surrogate: it hashes to something, and fails.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _derive(secret_key: str, *, label: str, length: int = 32) -> bytes:
    info = f"receiver {label}".encode()
    return HKDF(SHA256(), length=length, salt=None, info=info).derive(secret_key.encode())


def _in_range(named: Token | Tag) -> bool:
    return named.intent < _INTENT_LIMIT and named.attempt < _ATTEMPT_LIMIT
