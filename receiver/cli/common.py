"""What several commands share: the parts of this process, and words for what stops them."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from receiver import secret_keys
from receiver.assembly import Parts, build
from receiver.logs import configure_logging
from receiver.secret_keys import SecretKeyMissing
from receiver.settings import load_settings, secret_values
from receiver.store import accounts, migrate
from receiver.store.audit import Actor
from receiver.store.database import Database, DatabaseAway
from receiver.store.migrate import SchemaOutdated
from receiver.store.types import MAX_ID

_SQLITE = "sqlite:///"
_COMPLETION_SECONDS = 1
"""How long a shell that completes waits for the database: who presses a key is not patient."""


class WrongUse(click.ClickException):
    """The command cannot be carried out as it was called: nothing was done."""

    exit_code = 2


def user_name(user_id: int) -> str:
    """Return the name of a user of this machine, or the number of one without a name.

    The environment may name anybody; the operating system knows who it is.
    """
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


COMMAND = Actor(f"command ({user_name(os.getuid())})")
"""Who acts at the command line, for the audit log."""


@contextmanager
def opened_parts(*, check_tables: bool = True, check_secrets: bool = False) -> Iterator[Parts]:
    """Build the parts from the environment, and close them. What stops a command ends it in words.

    Raises SettingsError.
    """
    parts = build(load_settings())
    # A command says in its own words what went wrong, and programs read its standard output.
    configure_logging("error", secrets=secret_values(parts.settings))
    try:
        if check_tables:
            migrate.check(parts.database)
        if check_secrets:
            secret_keys.check(parts.database, parts.keys)
        yield parts
    except DatabaseAway as error:
        raise click.ClickException(
            f"The database is away: {error}. Check RECEIVER_DATABASE_URL."
        ) from error
    except (SchemaOutdated, SecretKeyMissing) as error:
        raise click.ClickException(str(error)) from error
    finally:
        parts.close()


def refuse_unknown_accounts(parts: Parts, account_ids: Collection[int]) -> None:
    """Raise WrongUse for an ad account that nobody added: nothing can be said of it."""
    with parts.database.reading() as session:
        known = accounts.credential_ids(session, list(account_ids))
    for account_id in account_ids:
        if account_id not in known:
            raise WrongUse(
                f"act_{account_id} is not known: add it first with 'receiver account add'."
            )


def differences_in_words(differences: int) -> str:
    """Say how many differences there are."""
    return "1 difference" if differences == 1 else f"{differences} differences"


class AccountId(click.ParamType[int]):
    """An ad account's id, with or without ``act_``."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Fails with what an account's id looks like."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(?:act_)?([1-9][0-9]{0,18})", str(value).strip())
        if match is None or int(match[1]) > MAX_ID:
            self.fail(f"{value!r} is no ad account: it looks like act_123.", param, ctx)
        return int(match[1])

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Complete the accounts of the database, with ``act_`` where the word begins like it."""
        is_named = "act_".startswith(incomplete) or incomplete.startswith("act_")
        written = [f"act_{one}" if is_named else str(one) for one in _known_accounts()]
        return [CompletionItem(one) for one in written if one.startswith(incomplete)]


def _known_accounts() -> list[int]:
    """Return the accounts in the database, or none: a shell that completes shows no error."""
    try:
        url = load_settings().database_url.get_secret_value()
        if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
            # To connect would make the file.
            return []
        with (
            closing(Database(url, timeout_seconds=_COMPLETION_SECONDS)) as database,
            database.reading() as session,
        ):
            return accounts.all_ids(session)
    except Exception:  # noqa: BLE001  # whatever stops it, nobody can do anything about it there
        return []


ACCOUNT = AccountId()
