"""receiver key: the keys that callers hold instead of Facebook tokens."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.cli.common import ACCOUNT, opened_parts
from receiver.crypto import hash_api_key, new_api_key
from receiver.delivery.signing import written_secret
from receiver.store import keys
from receiver.store.accounts import AccountsDiffer
from receiver.store.keys import KeyRow, NameTaken

_LONGEST_DAYS = 3650


@click.group()
def key() -> None:
    """Look after the keys that callers hold instead of Facebook tokens."""


@key.command()
@click.argument("name")
@click.option(
    "--account",
    "account_ids",
    type=ACCOUNT,
    multiple=True,
    required=True,
    help="An ad account that the key may use; repeat it for several.",
)
@click.option("--read-only", is_flag=True, help="The key may read, and change nothing.")
@click.option(
    "--expires-in-days",
    type=click.IntRange(1, _LONGEST_DAYS),
    help="The key ends by itself after so many days.",
)
def create(
    name: str, *, account_ids: tuple[int, ...], read_only: bool, expires_in_days: int | None
) -> None:
    """Create a key and print it, once, alone on the last line."""
    secret = new_api_key()
    with opened_parts() as parts:
        now = parts.now()
        ends = None if expires_in_days is None else now + timedelta(days=expires_in_days)
        try:
            with parts.database.writing() as session:
                keys.add_key(
                    session,
                    name,
                    key_hash=hash_api_key(secret),
                    account_ids=account_ids,
                    is_read_only=read_only,
                    expires_at=ends,
                    now=now,
                )
        except (AccountsDiffer, NameTaken) as error:
            raise click.ClickException(str(error)) from error
    click.echo("Keep this key: it is not shown again.", err=True)
    click.echo(secret)


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(*, as_json: bool) -> None:
    """List the keys: whose they are, what they may do, when they were used and when they end."""
    with opened_parts() as parts:
        now = parts.now()
        with parts.database.reading() as session:
            found = [_shown(row, now=now) for row in keys.list_keys(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    columns = ("name", "accounts", "may", "state", "last used (UTC)", "expires (UTC)")
    table = Table(*columns, box=SIMPLE_HEAD)
    for row in found:
        table.add_row(
            row["name"],
            "\n".join(row["accounts"]),
            "read" if row["is_read_only"] else "read and write",
            row["state"],
            _to_the_minute(row["last_used_at"]),
            _to_the_minute(row["expires_at"]),
        )
    Console().print(table)


def _shown(row: KeyRow, *, now: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "accounts": [f"act_{account_id}" for account_id in row.account_ids],
        "is_read_only": row.is_read_only,
        "state": _state(row, now=now),
        "created_at": _written(row.created_at),
        "expires_at": _written(row.expires_at),
        "revoked_at": _written(row.revoked_at),
        "last_used_at": _written(row.last_used_at),
    }


def _to_the_minute(written: str | None) -> str:
    return "never" if written is None else written[:16].replace("T", " ")


def _state(row: KeyRow, *, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "valid"


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


@key.command()
@click.argument("name")
def revoke(name: str) -> None:
    """End a key at once: whoever holds it is refused from now on."""
    with opened_parts() as parts, parts.database.writing() as session:
        if not keys.revoke_key(session, name, now=parts.now()):
            raise _unknown(name)
    click.echo(f"Revoked {name}.")


@key.command("webhook-secret")
@click.argument("name")
def webhook_secret(name: str) -> None:
    """Print the secret that signs what this key's holder is told, alone on the last line.

    It follows from the newest of RECEIVER_SECRET_KEYS. While an older one stands there too, every
    message is signed for both.
    """
    with opened_parts() as parts:
        with parts.database.reading() as session:
            key_id = keys.find_key_id(session, name)
        if key_id is None:
            raise _unknown(name)
        secret = parts.keys.webhook_secrets(key_id)[0]
    click.echo(written_secret(secret))


def _unknown(name: str) -> click.ClickException:
    return click.ClickException(f"There is no key named {name!r}: see 'receiver key list'.")
