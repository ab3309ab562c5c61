"""receiver key: the keys that callers hold instead of Facebook tokens."""

from __future__ import annotations

import click

from receiver.cli.common import ACCOUNT, opened_parts
from receiver.crypto import hash_api_key, new_api_key
from receiver.store import keys
from receiver.store.accounts import AccountsDiffer
from receiver.store.keys import NameTaken


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
def create(name: str, *, account_ids: tuple[int, ...]) -> None:
    """Create a key and print it, once, alone on the last line."""
    secret = new_api_key()
    with opened_parts() as parts:
        try:
            with parts.database.writing() as session:
                keys.add_key(
                    session,
                    name,
                    key_hash=hash_api_key(secret),
                    account_ids=account_ids,
                    now=parts.now(),
                )
        except (AccountsDiffer, NameTaken) as error:
            raise click.ClickException(str(error)) from error
    click.echo("Keep this key: it is not shown again.", err=True)
    click.echo(secret)
