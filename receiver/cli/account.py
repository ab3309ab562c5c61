"""receiver account: the ad accounts and their Facebook tokens."""

from __future__ import annotations

import sys

import click

from receiver.cli.common import ACCOUNT, COMMAND, opened_parts
from receiver.lifecycle.actions import perform
from receiver.store import accounts
from receiver.store.accounts import AccountsDiffer


@click.group()
def account() -> None:
    """Look after ad accounts and their Facebook tokens."""


@account.command()
@click.argument("account_ids", metavar="ACCOUNT...", type=ACCOUNT, nargs=-1, required=True)
@click.option(
    "--token-stdin",
    is_flag=True,
    required=True,
    help="Read the Facebook token from the first line of standard input.",
)
@click.option(
    "--app-secret-stdin",
    is_flag=True,
    help="Read the app's secret from the second line, to sign every call with appsecret_proof.",
)
@click.option(
    "--no-app-secret",
    is_flag=True,
    help="Drop the stored app secret; without this a known account keeps it.",
)
def add(
    account_ids: tuple[int, ...],
    *,
    token_stdin: bool,
    app_secret_stdin: bool,
    no_app_secret: bool,
) -> None:
    """Add ad accounts that one Facebook token acts on, or replace the token of known ones.

    Token and secret come by standard input only, because arguments show in the process list. They
    are sealed before they are stored.
    """
    if app_secret_stdin and no_app_secret:
        raise click.UsageError("--app-secret-stdin and --no-app-secret exclude each other.")
    token = _read_line("token") if token_stdin else ""
    app_secret = _read_line("app secret") if app_secret_stdin else None
    with opened_parts() as parts:
        try:
            with parts.database.writing() as session:
                replaced = accounts.put_accounts(
                    session,
                    list(dict.fromkeys(account_ids)),
                    sealed_token=parts.keys.seal(token),
                    sealed_app_secret=None if app_secret is None else parts.keys.seal(app_secret),
                    drop_app_secret=no_app_secret,
                    now=parts.now(),
                )
        except AccountsDiffer as error:
            raise click.ClickException(str(error)) from error
    names = ", ".join(f"act_{account_id}" for account_id in dict.fromkeys(account_ids))
    if not replaced:
        click.echo(f"Added {names}.")
        return
    click.echo(f"Replaced the token of {names}.")
    if app_secret is not None:
        click.echo("The app secret was replaced.")
    elif no_app_secret:
        click.echo("No app secret is stored any more.")
    else:
        click.echo("An app secret that is stored with it was kept; --no-app-secret drops it.")


def _read_line(what: str) -> str:
    line = sys.stdin.readline().strip()
    if not line or not line.isascii() or not line.isprintable():
        raise click.ClickException(
            f"Standard input holds no {what}: pipe it in, one line, e.g. from a file."
        )
    return line


@account.command()
@click.argument("account_ids", metavar="ACCOUNT...", nargs=-1, required=True, type=ACCOUNT)
def resume(*, account_ids: tuple[int, ...]) -> None:
    """Go on with accounts that wait, or that are parked until a person did something."""
    with opened_parts() as parts:
        with parts.database.reading() as session:
            known = accounts.credential_ids(session, account_ids)
        unknown = [each for each in account_ids if each not in known]
        if unknown:
            raise click.ClickException(f"act_{unknown[0]} is not known.")
        for account_id in dict.fromkeys(account_ids):
            perform.retry_account(parts.tools, account_id, by=COMMAND)
    named = ", ".join(f"act_{account_id}" for account_id in account_ids)
    click.echo(f"{named}: goes on.")
