from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from receiver.lifecycle import partitioning
from receiver.store import migrate
from receiver.store.database import Database
from receiver.store.models import Look, RequestSet
from receiver.store.partitions import TableBusy
from receiver.worker.upkeep import Upkeep
from tests.support.databases import POSTGRES, empty_database_url, require_postgres
from tests.support.house import House, open_house
from tests.support.loops import loop_of, running, wait_until

DAY = 86_400.0


def keeping(house: House, days: int | None) -> House:
    kept_for = None if days is None else timedelta(days=days)
    tools = replace(house.parts.tools, kept_for=kept_for)
    return replace(house, parts=replace(house.parts, tools=tools))


def add_old_sets(house: House, count: int) -> None:
    for _ in range(count):
        house.create_open()
    house.let_time_pass(60)
    house.work()
    house.let_time_pass(20 * DAY)


def passed(upkeep: Upkeep) -> int:
    """Take the steps of one pass; return how many there were before the last."""
    steps = 0
    while upkeep.step():
        steps += 1
        assert steps < 100
    return steps


def test_a_pass_removes_what_is_too_old_and_the_next_one_finds_nothing(house: House) -> None:
    add_old_sets(house, 3)
    # Sixty days and the part of a month that goes as a whole with the rest of it.
    house.let_time_pass(60 * DAY)
    upkeep = Upkeep(keeping(house, 10).parts.tools)
    assert passed(upkeep) > 0
    assert house.rows(RequestSet) == []
    house.create_open()
    passed(upkeep)
    assert len(house.rows(RequestSet)) == 1


@pytest.mark.parametrize("days", [None, 300])
def test_what_is_to_be_kept_is_kept(house: House, days: int | None) -> None:
    add_old_sets(house, 1)
    house.let_time_pass(60 * DAY)
    passed(Upkeep(keeping(house, days).parts.tools))
    assert len(house.rows(RequestSet)) == 1


def test_two_workers_share_the_work(house: House) -> None:
    add_old_sets(house, 3)
    house.let_time_pass(60 * DAY)
    one, other = (Upkeep(keeping(house, 10).parts.tools) for _ in range(2))
    is_one_at_it = is_other_at_it = True
    while is_one_at_it or is_other_at_it:
        is_one_at_it = is_one_at_it and one.step()
        is_other_at_it = is_other_at_it and other.step()
    assert house.rows(RequestSet) == []


def test_a_table_that_is_busy_stops_no_pass(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise TableBusy("The table is in use.")

    monkeypatch.setattr(partitioning, "make_ahead", busy)
    add_old_sets(house, 1)
    house.let_time_pass(60 * DAY)
    passed(Upkeep(keeping(house, 10).parts.tools))
    assert house.rows(RequestSet) == []


@pytest.fixture
def clerk() -> Iterator[str]:
    """A role at the server that owns nothing."""
    require_postgres()
    name = f"receiver_test_clerk_{uuid.uuid4().hex}"
    with psycopg.connect(POSTGRES, autocommit=True, dbname="postgres") as connection:
        role = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_role_that_may_make_no_tables_removes_rows_all_the_same(
    clerk: str, tmp_path: Path
) -> None:
    with empty_database_url("postgresql", tmp_path) as url:
        owners = Database(url, timeout_seconds=5)
        migrate.upgrade(owners)
        with owners.begin_writing() as connection:
            for statement in (
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {clerk}",
                f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {clerk}",
                f"ALTER DATABASE {owners.engine.url.database} SET role = '{clerk}'",
            ):
                connection.exec_driver_sql(statement)
        owners.close()
        with open_house(url) as house:
            add_old_sets(house, 1)
            house.let_time_pass(300 * DAY)
            passed(Upkeep(keeping(house, 10).parts.tools))
            assert house.rows(RequestSet) == []
            assert house.rows(Look) == []


def test_a_loop_looks_after_the_tables_beside_its_work(house: House) -> None:
    add_old_sets(house, 1)
    house.let_time_pass(60 * DAY)
    house.create_open()
    with running(loop_of(keeping(house, 10))):
        wait_until(lambda: len(house.rows(RequestSet)) == 1)
