from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from receiver.store import accounts, keys, waits
from receiver.store.accounts import AccountsDiffer
from receiver.store.database import Database, Session
from receiver.store.keys import Caller, NameTaken
from receiver.store.models import Account, ApiKey, Credential
from receiver.store.waits import Wait
from tests.support.rows import NOW, add_account, at, rows


def put(database: Database, *account_ids: int, token: bytes = b"one") -> bool:
    with database.writing() as session:
        return accounts.put_accounts(
            session, account_ids, sealed_token=token, sealed_app_secret=None, now=NOW
        )


def add_key(
    database: Database, account_ids: Sequence[int], *, name: str = "key", key_hash: bytes = b"h"
) -> None:
    with database.writing() as session:
        keys.add_key(session, name, key_hash=key_hash, account_ids=account_ids, now=NOW)


def find(database: Database, key_hash: bytes) -> Caller | None:
    with database.reading() as session:
        return keys.find_caller(session, key_hash, now=NOW)


def test_accounts_added_together_share_a_credential(database: Database) -> None:
    assert put(database, 1, 2) is False
    assert len(rows(database, Credential)) == 1
    with database.reading() as session:
        assert accounts.credential_of(session, 1) == accounts.credential_of(session, 2)


def test_a_known_account_gets_a_new_token_in_its_credential(database: Database) -> None:
    put(database, 1, 2)
    assert put(database, 2, 1, token=b"two") is True
    with database.reading() as session:
        assert accounts.credential_of(session, 2).token == b"two"
    assert len(rows(database, Credential)) == 1


def test_new_and_known_accounts_cannot_be_mixed(database: Database) -> None:
    put(database, 1)
    with pytest.raises(AccountsDiffer, match="act_2 is new"):
        put(database, 1, 2, 3)
    assert [row.id for row in rows(database, Account)] == [1]


def test_accounts_of_several_credentials_cannot_be_treated_as_one(database: Database) -> None:
    put(database, 1)
    put(database, 2)
    with pytest.raises(AccountsDiffer, match="different credentials"):
        put(database, 1, 2, token=b"three")
    with pytest.raises(AccountsDiffer, match="one key for each credential"):
        add_key(database, [1, 2])
    assert [row.sealed_token for row in rows(database, Credential)] == [b"one", b"one"]
    assert rows(database, ApiKey) == []


def test_a_key_names_its_accounts_and_no_others(database: Database) -> None:
    put(database, 1, 2, 3)
    add_key(database, [1, 3, 3])
    caller = find(database, b"h")
    assert caller is not None
    assert (caller.name, caller.account_ids) == ("key", frozenset({1, 3}))
    assert find(database, b"x") is None


def test_a_key_needs_known_accounts_and_a_name_of_its_own(database: Database) -> None:
    put(database, 1)
    with pytest.raises(AccountsDiffer, match="act_9 is not known"):
        add_key(database, [1, 9])
    add_key(database, [1])
    with pytest.raises(NameTaken, match="'key'"):
        add_key(database, [1], key_hash=b"i")
    assert len(rows(database, ApiKey)) == 1


def test_a_wait_is_never_cut_short_by_another_answer(database: Database) -> None:
    put(database, 1, 2)
    with database.writing() as session:
        for second in (60, 3600, 300):
            waits.wait(session, 1, Wait(at(second)))
    assert [row.resume_at for row in rows(database, Account)] == [at(3600), None]


def test_the_waits_of_several_accounts_are_those_of_each(database: Database) -> None:
    put(database, 1, 2)
    put(database, 3)
    put(database, 4)
    with database.writing() as session:
        waits.wait(session, 1, Wait(at(60), http_status=400, body=b"{}"))
        waits.wait(session, 2, Wait(at(3600), is_of_app=True))
        waits.wait(session, 3, Wait(waits.FOREVER, parked_reason="The token is out of date."))
        waits.wait(session, 4, Wait(at(-60)))

    with database.reading() as session:
        each = {one: waits.of_account(session, one, now=NOW) for one in (1, 2, 3, 4)}
        found = waits.of_accounts(session, [1, 2, 3, 4], now=NOW)

    assert found == {one: wait for one, wait in each.items() if wait is not None}
    assert set(found) == {1, 2, 3}


def test_a_shared_token_is_replaced_for_all_who_share_it_or_for_none(database: Database) -> None:
    put(database, 1, 2, 3)
    with pytest.raises(AccountsDiffer, match="act_2 shares its token with act_1, act_3: name them"):
        put(database, 2, token=b"two")
    assert [row.sealed_token for row in rows(database, Credential)] == [b"one"]


def test_an_app_secret_stays_until_it_is_replaced_or_dropped(database: Database) -> None:
    kept: list[bytes | None] = []
    for secret, is_dropped in ((b"s1", False), (None, False), (b"s2", False), (None, True)):
        with database.writing() as session:
            accounts.put_accounts(
                session,
                [1],
                sealed_token=b"one",
                sealed_app_secret=secret,
                drop_app_secret=is_dropped,
                now=NOW,
            )
        kept += [row.sealed_app_secret for row in rows(database, Credential)]
    assert kept == [b"s1", b"s1", b"s2", None]


@pytest.mark.parametrize("what", ["account", "key"])
def test_of_two_who_add_the_same_at_once_one_is_told_so(database: Database, what: str) -> None:
    add_account(database, 1)
    errors: list[Exception] = []

    def put(session: Session) -> None:
        if what == "account":
            accounts.put_accounts(
                session, [2], sealed_token=b"sealed", sealed_app_secret=None, now=NOW
            )
        else:
            keys.add_key(session, "name", key_hash=b"hash", account_ids=[1], now=NOW)

    def put_later() -> None:
        try:
            with database.writing() as session:
                put(session)
        except (AccountsDiffer, NameTaken) as error:
            errors.append(error)

    thread = threading.Thread(target=put_later)
    with database.writing() as session:
        put(session)
        session.flush()
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
    thread.join()
    # SQLite lets the second in when the first is done: the account is known then.
    is_replaced = what == "account" and database.engine.dialect.name == "sqlite"
    words = "run the command again" if what == "account" else "choose another name"
    assert [words in str(error) for error in errors] == ([] if is_replaced else [True])
