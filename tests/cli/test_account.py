from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from receiver.cli import common, main
from receiver.crypto import Keys
from receiver.store import accounts
from receiver.store.database import Database
from receiver.store.models import Account, AuditEntry
from tests.support.commands import environment
from tests.support.databases import BACKENDS, empty_database_url
from tests.support.house import SECRET_KEY
from tests.support.rows import rows

TOKEN = "EAAB-a-token-that-is-never-shown"
SECRET = "an-app-secret-that-is-never-shown"


def add(url: str, *arguments: str, stdin: str = TOKEN) -> Result:
    command = ["account", "add", *arguments, "--token-stdin"]
    result = CliRunner().invoke(main, command, input=stdin, env=environment(url))
    assert TOKEN not in result.output
    assert SECRET not in result.output
    return result


def stored(database: Database, account_id: int) -> tuple[str, str | None]:
    keys = Keys([SECRET_KEY])
    with database.reading() as session:
        sealed = accounts.credential_of(session, account_id)
    assert TOKEN.encode() not in sealed.token
    secret = None if sealed.app_secret is None else keys.open_sealed(sealed.app_secret)
    return keys.open_sealed(sealed.token), secret


def test_accounts_are_added_with_a_sealed_token(database: Database, database_url: str) -> None:
    result = add(database_url, "act_1", "2", "act_1")
    assert (result.exit_code, result.stdout) == (0, "Added act_1, act_2.\n")
    assert stored(database, 1) == stored(database, 2) == (TOKEN, None)


def test_the_token_of_known_accounts_is_replaced(database: Database, database_url: str) -> None:
    add(database_url, "act_1", stdin="an-old-token\n")
    result = add(database_url, "act_1", "--app-secret-stdin", stdin=f"{TOKEN}\n{SECRET}\n")
    assert result.exit_code == 0
    assert result.stdout == "Replaced the token of act_1.\nThe app secret was replaced.\n"
    assert stored(database, 1) == (TOKEN, SECRET)


def test_a_new_token_leaves_the_app_secret_unless_it_is_dropped(
    database: Database, database_url: str
) -> None:
    add(database_url, "act_1", "--app-secret-stdin", stdin=f"an-old-token\n{SECRET}\n")
    result = add(database_url, "act_1")
    assert "app secret that is stored with it was kept" in result.stdout
    assert stored(database, 1) == (TOKEN, SECRET)
    result = add(database_url, "act_1", "--no-app-secret")
    assert "No app secret is stored any more." in result.stdout
    assert stored(database, 1) == (TOKEN, None)


def test_an_app_secret_is_not_given_and_dropped_at_once(tmp_path: Path) -> None:
    options = ("--app-secret-stdin", "--no-app-secret")
    result = add(f"sqlite:///{tmp_path}/never-opened.db", "act_1", *options)
    assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)


def test_a_token_that_others_share_is_replaced_for_all_of_them_or_for_none(
    database: Database, database_url: str
) -> None:
    add(database_url, "act_1", "act_2", "act_3", stdin="an-old-token\n")
    result = add(database_url, "act_2")
    assert result.exit_code == 1
    assert "act_2 shares its token with act_1, act_3: name them all" in result.stderr
    assert stored(database, 2) == ("an-old-token", None)
    assert add(database_url, "act_3", "act_2", "act_1").exit_code == 0
    assert stored(database, 1) == (TOKEN, None)


def test_known_and_new_accounts_cannot_be_mixed(database: Database, database_url: str) -> None:
    add(database_url, "act_1")
    result = add(database_url, "act_1", "act_2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: act_2 is new and others of these accounts are not: "
        "add the new accounts in a call of their own.\n"
    )
    assert [row.id for row in rows(database, Account)] == [1]


@pytest.mark.parametrize("stdin", ["", "\n", "   \n", "two\twords\n", "t\u00f6ken\n"])
def test_a_token_that_cannot_be_one_is_refused_in_words(tmp_path: Path, stdin: str) -> None:
    result = add(f"sqlite:///{tmp_path}/never-opened.db", "act_1", stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: Standard input holds no token")


@pytest.mark.parametrize("name", ["act_", "act_0", "x", "-1", "1.5", "act_9223372036854775808"])
def test_what_is_no_account_is_refused_in_words(tmp_path: Path, name: str) -> None:
    command = ["account", "add", "--token-stdin", "--", name]
    env = environment(f"sqlite:///{tmp_path}/never-opened.db")
    result = CliRunner().invoke(main, command, input=TOKEN, env=env)
    assert result.exit_code == 2
    assert "it looks like act_123" in result.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_database_without_tables_is_named_with_what_to_do(backend: str, tmp_path: Path) -> None:
    with empty_database_url(backend, tmp_path) as url:
        result = add(url, "act_1")
    assert result.exit_code == 1
    assert "run 'receiver db upgrade'" in result.stderr


def resume(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["account", "resume", *arguments], env=environment(url))


def test_an_account_goes_on_and_the_audit_log_says_who_saw_to_it(
    database: Database, database_url: str
) -> None:
    add(database_url, "act_1")

    result = resume(database_url, "act_1")

    assert (result.exit_code, result.stdout) == (0, "act_1: goes on.\n")
    (entry,) = rows(database, AuditEntry)
    assert (entry.account_id, entry.action, entry.outcome) == (1, "retry", "done")
    assert entry.actor == f"command ({pwd.getpwuid(os.getuid()).pw_name})"


def test_an_account_that_is_not_known_does_not_go_on(database: Database, database_url: str) -> None:
    add(database_url, "act_1")

    result = resume(database_url, "act_1", "act_999")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: act_999 is not known.\n"
    assert rows(database, AuditEntry) == []


def test_a_user_without_a_name_acts_by_number() -> None:
    assert common.user_name(4_000_000_123) == "4000000123"
