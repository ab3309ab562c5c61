from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from receiver.lifecycle import integrity, partitioning, retention
from receiver.lifecycle.actions.perform import perform
from receiver.lifecycle.retention import Removed
from receiver.store import intents, migrate, partitions, statistics
from receiver.store.audit import Actor
from receiver.store.database import Database
from receiver.store.intents import Attempt
from receiver.store.models import AuditEntry, Delivery, Look, Notification, Request, RequestSet
from receiver.store.statistics import Period
from tests.support.databases import BACKENDS, empty_database_url, fresh_database_url
from tests.support.house import ACCOUNT, House, open_house

DAY = 86_400.0
DAYS_KEPT = 30


@pytest.fixture(params=BACKENDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on a database of its own: partitions that were dropped are gone for good."""
    new = fresh_database_url if request.param == "sqlite" else empty_database_url
    with new(request.param, tmp_path) as url:
        database = Database(url, timeout_seconds=5)
        migrate.upgrade(database)
        database.close()
        with open_house(url) as house:
            yield house


def collect(house: House, *, specs: object = None, **parameters: str) -> str:
    """Create a set, and let all come of it that is to come."""
    set_id = house.create_open(specs, **parameters)
    house.let_time_pass(60)
    house.notify(set_id)
    house.work()
    house.deliver()
    return set_id


def months_pass(house: House, *, days: float = 100) -> None:
    house.let_time_pass(days * DAY)
    partitioning.make_ahead(house.parts.database, now=house.clock())


def before(house: House) -> datetime:
    database = house.parts.database
    return retention.kept_from(database, house.clock() - timedelta(days=DAYS_KEPT))


def remove(house: House) -> Removed:
    return sum(retention.steps(house.parts.database, before=before(house)), Removed())


def facebook_ids(house: House) -> set[str]:
    return {str(row.facebook_id) for row in house.rows(RequestSet)}


def partition_names(house: House) -> list[str]:
    with house.parts.database.reading() as session:
        if not partitions.are_there(session):
            return []
        return [
            one.name for table in partitions.MOMENTS for one in partitions.of_table(session, table)
        ]


def test_what_was_collected_long_ago_goes_and_charts_stay(house: House) -> None:
    collect(house)
    months_pass(house)
    young = collect(house)
    removed = remove(house)
    assert (removed.sets, removed.requests) == (1, 2)
    assert facebook_ids(house) == {young}
    assert {row.request_set_id for row in house.rows(Request)} == {2}
    assert {row.request_set_id for row in house.rows(Look)} == {2}
    assert {row.request_set_id for row in house.rows(Notification)} == {2}
    hours = Period(house.clock() - timedelta(days=200), until=house.clock() + timedelta(days=1))
    with house.parts.database.reading() as session:
        counted = statistics.outcomes(session, [ACCOUNT], period=hours)
    assert sum(hour["collected"] for hour in counted) == 2
    assert remove(house) == Removed()


def test_what_has_no_end_stays_however_old(house: House) -> None:
    set_id = house.create_open()
    months_pass(house, days=400)
    assert remove(house).sets == 0
    assert facebook_ids(house) == {set_id}
    house.work()
    # What became of its notification may not be known before.
    house.let_time_pass(DAY)
    house.work()
    months_pass(house)
    assert remove(house).sets == 1


def test_a_caller_that_is_to_be_told_keeps_its_set(house: House) -> None:
    house.create_open(notification_uri="http://127.0.0.1:9/", notification_mode="ON_COMPLETE")
    house.let_time_pass(60)
    house.work()
    months_pass(house)
    assert remove(house).sets == 0
    with house.parts.database.writing() as session:
        session.execute(update(Delivery).values(state="failed", ended_at=house.clock()))
    assert remove(house).sets == 0
    months_pass(house)
    assert remove(house).sets == 1


def test_what_integrity_shows_is_shown_for_good(house: House) -> None:
    collect(house)
    collect(house)
    with house.parts.database.writing() as session:
        intents.keep_found(session, Attempt(1, number=1), facebook_id=99, now=house.clock())
    months_pass(house)
    assert remove(house).sets == 1
    found = integrity.check(house.parts.database, None, now=house.clock())
    assert (found.doubled.count, found.missing.count, found.orphans) == (1, 0, [])
    assert min(found.doubled.rows[0]["found_sets"]) == 99


def test_a_deed_of_a_person_stays_in_the_audit_log(house: House) -> None:
    collect(house)
    with house.parts.database.reading() as session:
        row = session.scalars(select(RequestSet)).one()
    perform(house.parts.tools, row, "collect", by=Actor("a person"))
    house.work()
    months_pass(house)
    assert remove(house).sets == 1
    assert [entry.request_set_id for entry in house.rows(AuditEntry)] == [1]


def test_a_read_of_a_set_that_went_is_passed_to_facebook(house: House) -> None:
    set_id = collect(house)
    assert house.get(f"/v21.0/{set_id}").headers["X-Receiver-Source"] == "store"
    months_pass(house)
    remove(house)
    answer = house.get(f"/v21.0/{set_id}")
    assert (answer.status_code, answer.headers["X-Receiver-Source"]) == (200, "graph")


def test_a_preview_says_what_would_go_and_removes_nothing(house: House) -> None:
    collect(house)
    months_pass(house)
    told = sum(retention.preview(house.parts.database, before=before(house)), Removed())
    kept = partition_names(house)
    assert (told.sets, told.requests) == (1, 2)
    assert len(house.rows(RequestSet)) == 1
    removed = remove(house)
    assert (removed.sets, removed.requests, removed.partitions) == (1, 2, told.partitions)
    assert set(partition_names(house)) == set(kept) - set(told.partitions)


def test_steps_that_are_broken_off_leave_nothing_half_removed(house: House) -> None:
    collect(house)
    months_pass(house)
    steps = retention.steps(house.parts.database, before=before(house))
    while next(steps).sets == 0:
        pass
    del steps
    assert house.rows(RequestSet) == []
    assert house.rows(Request) == []
    collect(house)
    months_pass(house)
    assert remove(house).sets == 1


only_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)


@only_postgresql
def test_a_month_goes_once_all_of_it_is_too_old(house: House) -> None:
    moment = datetime(2031, 5, 17, 8, tzinfo=UTC)
    assert retention.kept_from(house.parts.database, moment) == datetime(2031, 5, 1, tzinfo=UTC)


@only_postgresql
def test_a_partition_goes_whole(house: House) -> None:
    collect(house)
    first = partition_names(house)[0]
    months_pass(house)
    removed = remove(house)
    assert first in removed.partitions
    assert {name.partition("_")[0] for name in removed.partitions} == set(partitions.MOMENTS)
    assert first not in partition_names(house)
    # It is not made again, and what comes with so old a date is taken all the same.
    assert partitioning.make_ahead(house.parts.database, now=house.clock()) == []
    collect(house)


@only_postgresql
def test_a_partition_stays_with_what_came_of_a_set_that_stays(house: House) -> None:
    collect(house)
    house.create_open()
    house.notify()
    months_pass(house)
    removed = remove(house)
    assert removed.sets == 1
    assert not [name for name in removed.partitions if name.startswith("notification_until")]
    assert [row.request_set_id for row in house.rows(Notification)] == [2]
    house.work()
    months_pass(house)
    assert [name for name in remove(house).partitions if name.startswith("notification_until")]


@only_postgresql
def test_a_partition_that_others_read_stays_for_now(house: House) -> None:
    collect(house)
    months_pass(house)
    with house.parts.database.reading() as reading:
        reading.execute(text("SELECT FROM look")).all()
        removed = remove(house)
    assert removed.sets == 1
    assert {name.partition("_")[0] for name in removed.partitions} == {"notification"}
    assert {name.partition("_")[0] for name in remove(house).partitions} == {"look"}


@only_postgresql
def test_a_partition_is_looked_through_in_small_steps(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        collect(house)
    months_pass(house)
    monkeypatch.setattr("receiver.store.retention._SETS_A_STEP", 1)
    steps = retention.steps(house.parts.database, before=before(house))
    asked = list(takewhile(lambda removed: not removed.partitions, steps))
    assert asked == [Removed()] * 3


@only_postgresql
def test_two_that_remove_at_once_drop_each_partition_once(house: House) -> None:
    collect(house)
    months_pass(house)
    one, other = (retention.steps(house.parts.database, before=before(house)) for _ in range(2))
    first = next(one)
    removed = sum(other, first)
    assert len(removed.partitions) == len(set(removed.partitions)) == 2
    assert sum(one, Removed()) == Removed()


@only_postgresql
def test_what_came_of_a_set_stays_with_it_where_its_family_keeps_it(house: House) -> None:
    collect(house)
    collect(house)
    with house.parts.database.writing() as session:
        is_second = RequestSet.id == 2
        session.execute(update(RequestSet).where(is_second).values(parent_id=1, state="stuck"))
        session.execute(delete(Look).where(Look.request_set_id == 2))
        session.execute(delete(Notification).where(Notification.request_set_id == 2))
    came = len(house.rows(Look)), len(house.rows(Notification))
    months_pass(house)
    assert remove(house) == Removed()
    assert (len(house.rows(Look)), len(house.rows(Notification))) == came
