from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from receiver.cli import main
from receiver.crypto import hash_api_key
from receiver.store.database import Database
from receiver.store.keys import find_caller
from receiver.store.models import ApiKey
from tests.support.commands import environment
from tests.support.databases import BACKENDS, empty_database_url
from tests.support.rows import add_account, rows


def create(url: str, name: str, *account_ids: str) -> Result:
    options = [part for one in account_ids for part in ("--account", one)]
    return CliRunner().invoke(main, ["key", "create", name, *options], env=environment(url))


def test_the_key_stands_alone_on_the_last_line_and_only_its_hash_is_stored(
    database: Database, database_url: str
) -> None:
    for account_id in (1, 2):
        add_account(database, account_id)
    result = create(database_url, "reports", "act_1")
    assert result.exit_code == 0
    key = result.stdout.splitlines()[-1]
    assert result.stdout == f"{key}\n"
    assert key not in result.stderr
    with database.reading() as session:
        caller = find_caller(session, hash_api_key(key), now=datetime.now(UTC))
    assert caller is not None
    assert (caller.name, caller.account_ids) == ("reports", frozenset({1}))
    assert [row.key_hash for row in rows(database, ApiKey)] == [hash_api_key(key)]


def test_every_key_is_another_one(database: Database, database_url: str) -> None:
    add_account(database, 1)
    one, other = (create(database_url, name, "1").stdout for name in ("one", "other"))
    assert one != other


@pytest.mark.parametrize(
    ("account_ids", "sentence"),
    [
        (["act_9"], "act_9 is not known: add it first with 'receiver account add'."),
        (["1", "2"], "These accounts hold different credentials"),
    ],
)
def test_accounts_that_one_key_cannot_name_are_refused_in_words(
    database: Database, database_url: str, account_ids: list[str], sentence: str
) -> None:
    for account_id in (1, 2):
        add_account(database, account_id)
    result = create(database_url, "reports", *account_ids)
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert rows(database, ApiKey) == []


def test_a_name_is_given_once(database: Database, database_url: str) -> None:
    add_account(database, 1)
    create(database_url, "reports", "1")
    result = create(database_url, "reports", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is a key named 'reports' already" in result.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_database_without_tables_is_named_with_what_to_do(backend: str, tmp_path: Path) -> None:
    with empty_database_url(backend, tmp_path) as url:
        result = create(url, "reports", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "run 'receiver db upgrade'" in result.stderr


def key_command(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["key", *arguments], env=environment(url))


def test_a_key_may_be_made_to_read_only_and_to_end(database: Database, database_url: str) -> None:
    add_account(database, 1)
    options = ("--account", "1", "--read-only", "--expires-in-days", "30")
    assert key_command(database_url, "create", "reports", *options).exit_code == 0
    (row,) = rows(database, ApiKey)
    assert row.is_read_only
    assert row.expires_at == row.created_at + timedelta(days=30)


def test_keys_are_listed_with_what_they_may_and_never_themselves(
    database: Database, database_url: str
) -> None:
    add_account(database, 1)
    secret = create(database_url, "writer", "1").stdout.strip()
    key_command(database_url, "create", "reader", "--account", "1", "--read-only")
    key_command(database_url, "revoke", "reader")
    listed = json.loads(key_command(database_url, "list", "--json").stdout)
    assert [(each["name"], each["state"], each["is_read_only"]) for each in listed] == [
        ("reader", "revoked", True),
        ("writer", "valid", False),
    ]
    assert listed[1]["accounts"] == ["act_1"]
    assert listed[1]["last_used_at"] is None
    table = key_command(database_url, "list").stdout
    assert "read and write" in table
    for shown in (table, str(listed)):
        assert secret not in shown
        assert hash_api_key(secret).hex() not in shown


def test_a_revoked_key_keeps_its_first_end(database: Database, database_url: str) -> None:
    add_account(database, 1)
    create(database_url, "reports", "1")
    key_command(database_url, "revoke", "reports")
    (first,) = rows(database, ApiKey)
    assert key_command(database_url, "revoke", "reports").stdout == "Revoked reports.\n"
    (second,) = rows(database, ApiKey)
    assert second.revoked_at == first.revoked_at


@pytest.mark.parametrize("command", ["revoke", "webhook-secret"])
def test_an_unknown_name_is_told_so(database_url: str, command: str) -> None:
    result = key_command(database_url, command, "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no key named 'nobody': see 'receiver key list'." in result.stderr


def test_the_webhook_secret_is_that_of_the_key(database: Database, database_url: str) -> None:
    add_account(database, 1)
    create(database_url, "reports", "1")
    create(database_url, "other", "1")
    first = key_command(database_url, "webhook-secret", "reports").stdout
    other = key_command(database_url, "webhook-secret", "other").stdout
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert first == key_command(database_url, "webhook-secret", "reports").stdout != other
