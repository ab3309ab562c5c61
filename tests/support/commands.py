"""What a command needs around it: the environment of a receiver."""

from __future__ import annotations

import os

from tests.support.house import PUBLIC_URL, SECRET_KEY


def environment(database_url: str, **settings: str) -> dict[str, str | None]:
    """Return the variables of a receiver, and None for every one that the test run itself has."""
    inherited = {name: None for name in os.environ if name.startswith("RECEIVER_")}
    return {
        **inherited,
        "RECEIVER_DATABASE_URL": database_url,
        "RECEIVER_PUBLIC_URL": PUBLIC_URL,
        "RECEIVER_SECRET_KEYS": SECRET_KEY,
        **settings,
    }
