from __future__ import annotations

import pytest
from sqlalchemy import text

from benchmarks.plans import watched
from receiver.store import backlog, intents, waits
from receiver.store.backlog import Backlog
from receiver.store.database import Database
from receiver.store.waits import Wait
from tests.support.rows import ACCOUNT, NOW, add_account, add_open_set, at, notify


def read(database: Database) -> Backlog:
    with database.reading() as session:
        return backlog.read(session, now=NOW)


def test_nothing_is_due_where_nothing_is(database: Database) -> None:
    assert read(database) == Backlog(0, 0, None, 0)


def test_what_is_due_is_counted_and_the_oldest_named(database: Database) -> None:
    add_account(database)
    for number, seconds_ago in enumerate([5, 90, -5], start=1):
        add_open_set(database, number, look_at=at(-seconds_ago))
    assert read(database) == Backlog(2, 0, at(-90), 0)


def test_a_set_whose_account_waits_is_due_and_does_not_count_as_the_oldest(
    database: Database,
) -> None:
    for account_id, seconds_ago in ((ACCOUNT, 5), (99, 9000)):
        add_account(database, account_id)
        add_open_set(database, account_id, account_id=account_id, look_at=at(-seconds_ago))
    with database.writing() as session:
        waits.wait(session, 99, Wait(resume_at=at(600)))
    assert read(database) == Backlog(2, 1, at(-5), 0)


def test_notifications_count_until_they_are_applied(database: Database) -> None:
    add_account(database)
    notify(database, add_open_set(database, 1, look_at=at(60)))
    assert read(database).unapplied_notifications == 1


def test_every_state_is_counted(database: Database) -> None:
    add_account(database)
    add_open_set(database, 1)
    with database.reading() as session:
        counted = backlog.count_states(session)
    assert counted == {**dict.fromkeys(intents.STATES, 0), intents.OPEN: 1}


def test_counting_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "COUNTED_MOST", 2)
    add_account(database)
    for number in range(1, 5):
        add_open_set(database, number, look_at=at(-number))
    assert (read(database).due_sets, read(database).oldest_due_at) == (2, at(-4))
    with database.reading() as session:
        assert backlog.count_states(session)[intents.OPEN] == 2


def test_every_count_is_served_by_an_index(database: Database) -> None:
    add_account(database)
    for number in range(1, 41):
        # None of them is due: only the right index knows that without reading them all.
        add_open_set(database, number, look_at=at(60 * number))
    with database.reading() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            # A small table is read whole, whatever indexes it has, unless that is forbidden; and
            # where nothing is known of a table, any of its indexes may do.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("ANALYZE request_set"))
        with watched(database) as statements:
            backlog.read(session, now=NOW)
            backlog.count_states(session)
        found = statements.indexes(connection)

    assert {
        "ix_request_set_due",
        "ix_notification_unapplied",
        "ix_request_set_state_id",
    } <= set(found)
    assert "(all of request_set)" not in found
