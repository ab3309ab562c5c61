"""What each of the secret keys is still needed for, and whether one that is needed is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.crypto import Keys
from receiver.store import secrets
from receiver.store.database import Database


class SecretKeyMissing(Exception):
    """A key is not configured that something still needs. The text says what to do."""


@dataclass(frozen=True)
class Needs:
    """How many secrets and pending URLs need each key, by the keys' ids.

    ``unopened`` are accounts whose credential no configured key opens.
    """

    secrets: Mapping[str, int]
    urls: Mapping[str | None, int]
    unopened: tuple[int, ...]

    def missing(self, keys: Keys) -> tuple[str, ...]:
        """Return the ids of keys that pending URLs need and that are not configured."""
        return tuple(sorted(each for each in self.urls if each and each not in keys.ids))


def survey(database: Database, keys: Keys) -> Needs:
    """Find out what needs which key. Raises DatabaseAway."""
    with database.reading() as session:
        rows = secrets.sealed_rows(session)
        urls = secrets.pending_urls(session)
    sealed_with: Counter[str] = Counter()
    unopened = []
    for row in rows:
        parts = [part for part in (row.token, row.app_secret) if part is not None]
        found = [keys.sealed_with(part) for part in parts]
        if None in found:
            unopened.append(row.account_id or 0)
        sealed_with.update(each for each in found if each is not None)
    return Needs(secrets=sealed_with, urls=urls, unopened=tuple(unopened))


def check(database: Database, keys: Keys) -> None:
    """Raise SecretKeyMissing where something needs a key that is not there, and DatabaseAway."""
    needs = survey(database, keys)
    missing = needs.missing(keys)
    if missing:
        count = sum(needs.urls[each] for each in missing)
        raise SecretKeyMissing(
            f"{count} notification URLs that Facebook may still call were signed with the secret "
            f"key {', '.join(missing)}, which RECEIVER_SECRET_KEYS does not hold: put it back "
            "behind the newest one until 'receiver secrets rotate' says that nothing needs it."
        )
    if needs.unopened:
        accounts = ", ".join(f"act_{each}" for each in needs.unopened)
        raise SecretKeyMissing(
            f"No key in RECEIVER_SECRET_KEYS opens the credential of {accounts}: put the key that "
            "sealed it back behind the newest one, and run 'receiver secrets rotate'."
        )


def rotate(database: Database, keys: Keys) -> int:
    """Seal with the newest key what another one sealed. Returns how many credentials changed.

    Each is a transaction of its own, so it may run beside everything else, twice, and by two at
    once. Raises DatabaseAway and CannotOpen.
    """
    with database.reading() as session:
        rows = secrets.sealed_rows(session)
    changed = 0
    for row in rows:
        parts = [part for part in (row.token, row.app_secret) if part is not None]
        if all(keys.sealed_with(part) == keys.newest_id for part in parts):
            continue
        with database.writing() as session:
            secrets.reseal(
                session, row.credential_id, again=lambda data: keys.seal(keys.open_sealed(data))
            )
        changed += 1
    return changed
