"""A receiver of a benchmark's own: its processes, settings, accounts, and what it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.official_sdk import TOKEN
from receiver.assembly import Parts
from receiver.cli.processes import Fleet, plain_environment
from receiver.settings import PREFIX, Settings
from receiver.store import accounts
from receiver.store.intents import NewIntent

SECRET_KEY = "k" * 32


@contextmanager
def running_fleet(folder: Path) -> Iterator[Fleet]:
    """Yield a fleet without any of the receiver's settings, which ends with the block."""
    fleet = Fleet(folder, environment=plain_environment())
    try:
        yield fleet
    finally:
        fleet.stop()


def variables(
    database_url: str, *, public_url: str, graph_url: str | None = None
) -> dict[str, str]:
    """Return the variables that each process needs; ``graph_url`` for those that call Facebook."""
    needed = {
        "RECEIVER_DATABASE_URL": database_url,
        "RECEIVER_PUBLIC_URL": public_url,
        "RECEIVER_SECRET_KEYS": SECRET_KEY,
    }
    return needed if graph_url is None else {**needed, "RECEIVER_GRAPH_URL": graph_url}


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Return the settings of a process that has these variables."""
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): text for name, text in environment.items()
    }
    return Settings(**values)


def add_accounts(parts: Parts, account_ids: Sequence[int]) -> None:
    """Write accounts, all of which the SDK's token acts on."""
    with parts.database.writing() as session:
        accounts.put_accounts(
            session,
            account_ids,
            sealed_token=parts.keys.seal(TOKEN),
            sealed_app_secret=None,
            now=parts.now(),
        )


def intent(
    account_id: int, specs: Sequence[Mapping[str, Any]], *, name: str = "measured"
) -> NewIntent:
    """Ask for a set of ads of which the caller wants no notification."""
    return NewIntent(
        account_id=account_id,
        api_key_id=None,
        name=name,
        ad_specs=json.dumps(specs).encode(),
        spec_count=len(specs),
        notification_uri=None,
        notification_mode="OFF",
    )


def plain_specs(count: int) -> list[dict[str, str]]:
    """Return specs of so many ads, as small as they may be."""
    return [{"name": f"ad {number}", "adset_id": "5"} for number in range(count)]
