from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from receiver.lifecycle import partitioning
from receiver.store import migrate, partitions
from receiver.store.database import Database, Session
from receiver.store.models import Base, Look, Notification, RequestSet
from receiver.store.partitions import MOMENTS, Partition, TableBusy, month_of, next_month
from tests.support.databases import empty_database_url
from tests.support.rows import NOW, add_account, add_intent, add_open_set, apply_hints, notify, rows

FAR = datetime(2031, 5, 17, 8, tzinfo=UTC)
"""Long after the first partition of a database that is made today."""

LOOK = {"account_id": 1, "kind": "set", "why": "poll", "duration_ms": 1, "calls": 1, "rows": 1}


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own: partitions stay where a database is only emptied."""
    with empty_database_url("postgresql", tmp_path) as url:
        database = Database(url, timeout_seconds=5)
        migrate.upgrade(database)
        yield database
        database.close()


def alembic(database: Database, verb: Any, revision: str) -> None:
    with migrate._alone(database) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        verb(config, revision)


def partitions_of(database: Database, table: str) -> list[Partition]:
    with database.reading() as session:
        return partitions.of_table(session, table)


def names_of(database: Database, table: str) -> list[str]:
    return [each.name for each in partitions_of(database, table)]


def rows_in(database: Database, partition: str) -> int:
    with database.reading() as session:
        count: int = session.execute(text(f"SELECT count(*) FROM {partition}")).scalar_one()
        return count


def test_a_month_is_that_of_utc() -> None:
    eastern = datetime.fromisoformat("2026-12-31T23:30:00-05:00").astimezone(UTC)
    assert partitions.month_of(eastern) == datetime(2027, 1, 1, tzinfo=UTC)
    assert partitions.next_month(eastern) == datetime(2027, 2, 1, tzinfo=UTC)


def test_the_first_partition_takes_what_comes_before_any_other_is_made(new: Database) -> None:
    for moment in (NOW - timedelta(days=9999), datetime.now(UTC) + timedelta(days=7)):
        notify(new, 1, now=moment)
    first, default = partitions_of(new, "notification")
    assert (first.since, default.until, default.name) == (None, None, "notification_default")
    assert first.until is not None
    assert timedelta(days=7) < first.until - datetime.now(UTC) < timedelta(days=40)
    assert (rows_in(new, first.name), rows_in(new, default.name)) == (2, 0)


def test_this_month_and_the_next_two_are_made_ahead_once(new: Database) -> None:
    made = partitioning.make_ahead(new, now=FAR)
    assert made == [f"{table}_2031_{month}" for table in MOMENTS for month in ("05", "06", "07")]
    assert partitioning.make_ahead(new, now=FAR) == []
    next_month = partitioning.make_ahead(new, now=FAR + timedelta(days=31))
    assert next_month == ["notification_2031_08", "look_2031_08"]


def test_at_once_after_an_upgrade_only_what_the_first_one_does_not_take_is_made(
    new: Database,
) -> None:
    now = datetime.now(UTC)
    partitioning.make_ahead(new, now=now)
    first, *others, _default = partitions_of(new, "notification")
    assert [each.since for each in others] == [first.until, *(one.until for one in others[:-1])]
    assert others[-1].until is not None
    assert timedelta(days=58) < others[-1].until - now < timedelta(days=93)


def test_every_index_of_the_models_stands_on_each_partition(new: Database) -> None:
    partitioning.make_ahead(new, now=FAR)
    of_index = text(
        "SELECT part.relname FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid "
        "JOIN pg_class part ON part.oid = indrelid "
        "WHERE inhparent = to_regclass(:index) AND indisvalid"
    )
    keys = text("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'p'")
    with new.reading() as session:
        with_key = set(session.scalars(keys))
        for table in MOMENTS:
            expected = set(names_of(new, table))
            assert len(expected) == 5
            assert expected <= with_key
            indexes = Base.metadata.tables[table].indexes
            assert indexes
            for index in indexes:
                assert set(session.scalars(of_index, {"index": index.name})) == expected


def test_what_landed_in_the_default_partition_is_moved_and_keeps_its_number(new: Database) -> None:
    for days in (0, 1, 31):
        notify(new, 7, now=FAR + timedelta(days=days))
    before = {row.id: row.received_at for row in rows(new, Notification)}
    assert rows_in(new, "notification_default") == 3
    partitioning.make_ahead(new, now=FAR)
    assert rows_in(new, "notification_default") == 0
    assert (rows_in(new, "notification_2031_05"), rows_in(new, "notification_2031_06")) == (2, 1)
    assert {row.id: row.received_at for row in rows(new, Notification)} == before
    assert apply_hints(new, now=FAR) == 3
    notify(new, 7, now=FAR)
    assert max(row.id for row in rows(new, Notification)) == max(before) + 1


def test_a_month_of_which_the_default_partition_holds_too_much_stays_there(
    new: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOVED_MOST", 1)
    for request_set_id in (1, 2):
        notify(new, request_set_id, now=FAR)
    made = partitioning.make_ahead(new, now=FAR)
    assert "notification_2031_05" not in made
    assert {"notification_2031_06", "look_2031_05"} < set(made)
    notify(new, 3, now=FAR)
    assert rows_in(new, "notification_default") == 3


def test_several_that_make_partitions_at_once_make_each_one_once(new: Database) -> None:
    gate = threading.Barrier(6)

    def make() -> list[str]:
        gate.wait()
        return partitioning.make_ahead(new, now=FAR)

    with ThreadPoolExecutor(6) as pool:
        made = [
            name for future in [pool.submit(make) for _ in range(6)] for name in future.result()
        ]
    made += partitioning.make_ahead(new, now=FAR)
    assert sorted(made) == sorted(set(made))
    assert len(made) == 6


@pytest.mark.parametrize("held", ["notification_default", "request_set"])
def test_whoever_makes_partitions_gives_way_to_those_at_work(new: Database, held: str) -> None:
    with new.begin_writing() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {held} IN ROW EXCLUSIVE MODE")
        with pytest.raises(TableBusy):
            partitioning.make_ahead(new, now=FAR)
        # Nobody waits behind it, and nothing is half done.
        notify(new, 1, now=FAR)
        assert "look_2031_05" not in names_of(new, "look")
    partitioning.make_ahead(new, now=FAR)
    assert "look_2031_05" in names_of(new, "look")


def test_a_look_of_no_set_is_refused_in_every_partition(new: Database) -> None:
    add_account(new)
    request_set_id = add_open_set(new, 1)
    partitioning.make_ahead(new, now=FAR)
    for moment in (NOW, FAR, FAR + timedelta(days=999)):
        with new.writing() as session:
            session.execute(
                insert(Look).values(**LOOK, request_set_id=request_set_id, started_at=moment)
            )
        with pytest.raises(IntegrityError), new.writing() as session:
            session.execute(insert(Look).values(**LOOK, request_set_id=99, started_at=moment))
    with new.reading() as session:
        assert session.execute(select(func.count()).select_from(Look)).scalar_one() == 3


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database as the version before partitions left it, with the columns that came since.

    The version before wrote without them; this one, which stands for it, cannot.
    """
    upgrade = command.upgrade
    with empty_database_url("postgresql", tmp_path) as url:
        database = Database(url, timeout_seconds=5)
        alembic(database, command.upgrade, "0006")
        with database.begin_writing() as connection:
            connection.execute(
                text("ALTER TABLE request_set ADD page_limit BIGINT, ADD page_after VARCHAR")
            )
        monkeypatch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0009"))
        yield database
        database.close()


def test_an_upgrade_keeps_every_row_and_goes_on_counting(older: Database) -> None:
    for request_set_id in (1, 2, 3):
        notify(older, request_set_id)
    before = [(row.id, row.request_set_id) for row in rows(older, Notification)]
    migrate.upgrade(older)
    assert [(row.id, row.request_set_id) for row in rows(older, Notification)] == before
    notify(older, 4)
    assert [row.id for row in rows(older, Notification)] == [1, 2, 3, 4]


def test_a_clock_that_was_wrong_once_stops_no_upgrade(older: Database) -> None:
    notify(older, 1, now=FAR)
    migrate.upgrade(older)
    (row,) = rows(older, Notification)
    assert abs(row.received_at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_months_are_those_of_utc_whatever_the_time_zone_of_the_server(
    older: Database, zone: str
) -> None:
    with older.begin_writing() as connection:
        name = older.engine.url.database
        connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET timezone = '{zone}'")
    older.close()
    migrate.upgrade(older)
    now = datetime.now(UTC)
    partitioning.make_ahead(older, now=now)
    months = [month_of(now)]
    for _ in range(3):
        months.append(next_month(months[-1]))
    for table in MOMENTS:
        first, *others, _default = partitions_of(older, table)
        assert first.until in months
        assert [each.since for each in others] == months[months.index(first.until) : -1]
        assert [first, *others][-1].until == months[-1]


def test_an_upgrade_that_stopped_half_way_is_done_again(older: Database) -> None:
    with older.begin_writing() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE look ADD CONSTRAINT first_partition CHECK (started_at < '2026-02-01')"
        )
    migrate.upgrade(older)
    assert len(names_of(older, "look")) == 2


def test_an_upgrade_gives_way_to_whoever_keeps_a_table_locked(older: Database) -> None:
    notify(older, 1)
    with older.reading() as reading:
        reading.execute(text("SELECT FROM notification")).all()
        with pytest.raises(TableBusy):
            migrate.upgrade(older)
    assert names_of(older, "notification") == []
    migrate.upgrade(older)
    assert len(names_of(older, "notification")) == 2
    assert len(rows(older, Notification)) == 1


def test_an_upgrade_lets_a_look_be_written_whose_set_is_written_already(older: Database) -> None:
    add_account(older)
    request_set_id = add_open_set(older, 1)
    with ThreadPoolExecutor(1) as pool:
        with older.writing() as session:
            session.execute(update(RequestSet).values(name="Another name"))
            upgraded = pool.submit(migrate.upgrade, older)
            while not is_any_waiting(older):
                assert not upgraded.done()
            insert_look(session, request_set_id)
        assert upgraded.result() == "0009"
    assert len(rows(older, Look)) == 1


def test_an_upgrade_that_did_one_table_does_the_other_the_next_time(older: Database) -> None:
    notify(older, 1)
    with older.reading() as reading:
        reading.execute(text("SELECT FROM look")).all()
        with pytest.raises(TableBusy):
            migrate.upgrade(older)
    assert len(names_of(older, "notification")) == 2
    assert names_of(older, "look") == []
    notify(older, 2)
    assert migrate.upgrade(older) == "0009"
    assert [len(names_of(older, table)) for table in MOMENTS] == [2, 2]
    assert [row.id for row in rows(older, Notification)] == [1, 2]


def insert_look(session: Session, request_set_id: int) -> None:
    session.execute(insert(Look).values(**LOOK, request_set_id=request_set_id, started_at=NOW))


def write_look(database: Database, request_set_id: int) -> None:
    """Write what a look showed: on its set first, as the worker does."""
    with database.writing() as session:
        changed = update(RequestSet).where(RequestSet.id == request_set_id)
        session.execute(changed.values(looked_at=NOW))
        insert_look(session, request_set_id)


def is_any_waiting(database: Database) -> bool:
    """Tell whether a statement on this database waits for a lock."""
    waiting = text(
        "SELECT FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.reading() as session:
        return session.execute(waiting).first() is not None


def test_the_old_version_serves_while_the_upgrade_runs(older: Database) -> None:
    add_account(older)
    done, kept = threading.Event(), [0, 0]

    def serve(server: int) -> None:
        while not done.is_set():
            attempt = add_intent(older, now=datetime.now(UTC))
            notify(older, attempt.request_set_id, now=datetime.now(UTC))
            apply_hints(older, now=datetime.now(UTC))
            write_look(older, attempt.request_set_id)
            kept[server] += 1

    with ThreadPoolExecutor(2) as pool:
        serving = [pool.submit(serve, server) for server in range(2)]
        try:
            migrate.upgrade(older)
        finally:
            done.set()
        for each in serving:
            each.result()
    while apply_hints(older, now=datetime.now(UTC)):
        pass
    found = rows(older, Notification)
    assert len(found) == sum(kept) > 2
    assert all(row.applied_at is not None and row.account_id is not None for row in found)
    assert len(rows(older, Look)) == sum(kept)


def test_a_downgrade_puts_all_into_one_table_again(new: Database) -> None:
    partitioning.make_ahead(new, now=FAR)
    for moment in (NOW, FAR, FAR + timedelta(days=999)):
        notify(new, 1, now=moment)
    before = [(row.id, row.received_at) for row in rows(new, Notification)]
    alembic(new, command.downgrade, "0006")
    assert names_of(new, "notification") == []
    assert [(row.id, row.received_at) for row in rows(new, Notification)] == before
    alembic(new, command.upgrade, "head")
    notify(new, 2)
    assert [row.id for row in rows(new, Notification)] == [1, 2, 3, 4]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_partitions(database: Database) -> None:
    assert partitioning.make_ahead(database, now=FAR) == []
