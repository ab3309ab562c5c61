from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.plans import watched
from receiver.store import claims, due, waits
from receiver.store.database import Database, Session
from receiver.store.waits import Wait
from tests.support.rows import ACCOUNT, NOW, add_account, add_open_set, at, claim

OTHERS = (2, 3, 4)
MANY = 5_000
STEPS_AT_ONCE = 10
"""SQLite tells a listener of every so many steps of its machine."""

FEW_STEPS, FEW_PAGES = 8_000, 60
"""What a question may cost whose answer stands behind MANY sets: each of them costs ten steps."""


def add_due(database: Database, *seconds: float, account_id: int = ACCOUNT) -> None:
    """Write sets of an account that are due since then, and the account if need be."""
    add_account(database, account_id)
    for number, second in enumerate(seconds):
        add_open_set(
            database, 1000 * account_id + number, account_id=account_id, look_at=at(second)
        )


def let_wait(database: Database, account_id: int) -> None:
    with database.writing() as session:
        waits.wait(session, account_id, Wait(at(999)))


def first(database: Database, *, most: int = 9, passing_over: tuple[int, ...] = ()) -> list[int]:
    with database.reading() as session:
        return due.first_accounts(session, now=NOW, most=most, passing_over=passing_over)


def named(database: Database, *, most: int = 9, passing_over: tuple[int, ...] = ()) -> list[int]:
    with database.reading() as session:
        return due.accounts(session, now=NOW, most=most, passing_over=passing_over)


@pytest.fixture(params=[2, 100], ids=["window of 2", "window of 100"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for stands among the sets that have been due for longest, or behind them."""
    monkeypatch.setattr(due, "_WINDOW", request.param)


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("asked", [first, named])
def test_accounts_with_work_are_named_once_the_longest_due_first(
    database: Database, asked: Callable[..., list[int]]
) -> None:
    # The account that has been due for longest waits, and so do three sets of it.
    add_due(database, -9, -8, -7)
    let_wait(database, ACCOUNT)
    add_due(database, -3, -2, -1, account_id=2)
    add_due(database, -6, -1, account_id=3)
    add_due(database, 1, account_id=4)
    add_due(database, -99, account_id=5)
    assert claim(database, account_id=5) is not None

    assert asked(database) == [3, 2]
    assert asked(database, most=1) == [3]
    assert asked(database, passing_over=(3,)) == [2]
    assert asked(database, passing_over=(2, 3)) == []


@pytest.mark.parametrize("asked", [first, named])
def test_where_nothing_is_due_no_account_is_named(
    database: Database, asked: Callable[..., list[int]]
) -> None:
    assert asked(database) == []
    add_due(database, 1)
    assert asked(database) == []


def test_one_account_has_something_to_claim_or_has_not(database: Database) -> None:
    add_due(database, -1)
    add_due(database, 5, account_id=2)

    def has_any(account_id: int, *, seconds: float = 0) -> bool:
        with database.reading() as session:
            return due.has_any(session, account_id, now=at(seconds))

    assert (has_any(ACCOUNT), has_any(2)) == (True, False)
    assert has_any(2, seconds=5)
    let_wait(database, ACCOUNT)
    assert (has_any(ACCOUNT), has_any(ACCOUNT, seconds=999)) == (False, True)


def test_since_when_anything_could_be_claimed_is_told_of_all_accounts_or_of_some(
    database: Database,
) -> None:
    def oldest(*account_ids: int) -> Any:
        with database.reading() as session:
            return due.oldest_at(session, now=NOW, account_ids=account_ids or None)

    assert oldest() is None
    add_due(database, -9, -8)
    let_wait(database, ACCOUNT)
    assert oldest() is None
    add_due(database, -5, -3, account_id=2)
    add_due(database, -4, account_id=3)
    assert (oldest(), oldest(3), oldest(3, 2)) == (at(-5), at(-4), at(-5))
    assert oldest(ACCOUNT) is None


@pytest.fixture(params=["nobody knew", "as it is"])
def crowded(request: pytest.FixtureRequest, database: Database) -> Database:
    """A database in which MANY sets of one account that waits have been due for longest.

    PostgreSQL decides by what it knew of the table: before they came to be due, or since.
    """
    add_due(database, -1)
    let_wait(database, ACCOUNT)
    for account_id in OTHERS:
        add_due(database, -1, 50, 60, account_id=account_id)
    copy_the_first(database)
    analyze(database)
    with database.begin_writing() as connection:
        connection.execute(
            text("UPDATE request_set SET look_at = :due WHERE account_id = :account"),
            {"due": "2026-01-01 11:00:00.000000", "account": ACCOUNT},
        )
    if request.param == "as it is":
        analyze(database)
    return database


def copy_the_first(database: Database) -> None:
    """Write MANY more sets like the first one, none of which is due."""
    count = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) "
    columns = (
        "account_id, edge, name, ad_specs, spec_count, caller_notification_mode, created_at, "
        "state, attempt, is_completed, verdict, quiet_looks, uri_pending, look_at"
    )
    rows = columns.replace("look_at", "'2026-01-01 15:00:00.000000'")
    if not database.is_sqlite:
        rows = columns.replace("look_at", "timestamptz '2026-01-01 15:00:00+00'")
    with database.begin_writing() as connection:
        connection.exec_driver_sql(
            f"{count} INSERT INTO request_set ({columns}) "
            f"SELECT {rows} FROM n, request_set WHERE request_set.id = 1"
        )


def analyze(database: Database) -> None:
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
            own.exec_driver_sql("VACUUM ANALYZE request_set")


@contextmanager
def cheap(database: Database, what: str) -> Iterator[None]:
    """Fail if the statements of the block look into more than a few entries."""
    if not database.is_sqlite:
        with watched(database) as statements:
            yield
        statements.executed = [
            (statement.replace("FOR NO KEY UPDATE SKIP LOCKED", ""), parameters)
            for statement, parameters in statements.executed
        ]
        assert statements.executed, what
        with database.engine.connect() as connection:
            assert (statements.pages(connection) or 0) < FEW_PAGES, what
        return
    steps = [0]

    def count() -> None:
        steps[0] += STEPS_AT_ONCE

    with closing(database.engine.raw_connection()) as pooled:
        driver: Any = pooled.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(count, STEPS_AT_ONCE)
    # The pool gives out what it was given back last.
    yield
    assert 0 < steps[0] < FEW_STEPS, what


def claim_other(session: Session) -> list[claims.Claim]:
    found = claims.claim_due(
        session, [ACCOUNT, 2], now=NOW, lease_until=at(120), next_look_at=lambda _: at(15)
    )
    assert found is not None
    assert found.account_id == 2
    return claims.claim_beside(
        session,
        found,
        now=NOW,
        due_before=at(55),
        lease_until=at(120),
        next_look_at=lambda _: at(15),
        most=1000,
    )


QUESTIONS: dict[str, Callable[[Session], object]] = {
    "of any account": lambda session: due.first_accounts(session, now=NOW, most=20),
    "by account": lambda session: due.accounts(session, now=NOW, most=20),
    "since when": lambda session: due.oldest_at(session, now=NOW),
    "of one account": lambda session: due.has_any(session, OTHERS[0], now=NOW),
    "of one that waits": lambda session: not due.has_any(session, ACCOUNT, now=NOW),
    "the claim": claim_other,
    "what is explained": lambda session: claims.due_sets(
        session, OTHERS[0], due_before=NOW, most=9
    ),
    "what is searched": lambda session: (
        claims.count_searched(session, OTHERS[0], due_before=NOW) == 0
    ),
}


def test_what_is_due_of_one_that_waits_stands_in_nobodys_way(crowded: Database) -> None:
    for what, question in QUESTIONS.items():
        with cheap(crowded, what), crowded.reading() as session:
            assert question(session), what
            session.rollback()
