"""The task, in this process; whole workers stand in ``journeys/test_many_machines.py``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from receiver.lifecycle import step
from receiver.store import intents
from receiver.store.models import Look, Request, RequestSet
from receiver.worker.account_shares import AccountShares
from receiver.worker.celery import make_worker_app, work_for
from tests.support.brokers import woken
from tests.support.databases import locked
from tests.support.house import ACCOUNT, House, add_account, make_settings, open_house
from tests.support.loops import wait_until

SQLITE = "sqlite:////nowhere/receiver.db"


@pytest.fixture
def house(database_url: str, broker_url: str) -> Iterator[House]:
    with open_house(database_url, broker_url=broker_url, database_timeout_seconds=1) as house:
        yield house


@pytest.fixture
def shares() -> Iterator[AccountShares]:
    with closing(AccountShares(most=2)) as shares:
        yield shares


def test_a_task_takes_one_step_for_its_account_and_leaves_the_others_their_turn(
    house: House, shares: AccountShares, broker_url: str
) -> None:
    add_account(house.parts, 99)
    house.create_open()
    house.clock.move(60)
    work_for(house.parts, 99, shares=shares)
    assert house.the_set().state == intents.OPEN
    work_for(house.parts, ACCOUNT, shares=shares)
    assert house.the_set().state == intents.COLLECTED
    # Whether there is more to do, the next task finds out.
    wait_until(lambda: woken(broker_url) == [ACCOUNT])


def test_messages_that_come_twice_change_nothing(
    house: House, shares: AccountShares, broker_url: str
) -> None:
    house.create_open()
    house.clock.move(60)
    for _ in range(20):
        work_for(house.parts, ACCOUNT, shares=shares)
    assert len(house.rows(Request)) == 2
    assert [look.is_completed for look in house.rows(Look)].count(True) == 1
    wait_until(lambda: woken(broker_url) == [ACCOUNT])


@pytest.mark.parametrize(
    "garbage",
    [None, "71597454", [71597454], {"account_id": 1}, 1.5, True, 0, -1, 2**63, 12345, ""],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_message_that_says_anything_else_does_nothing(
    house: House, shares: AccountShares, garbage: Any
) -> None:
    house.create_open()
    house.clock.move(60)
    work_for(house.parts, garbage, shares=shares)
    assert house.the_set().state == intents.OPEN
    assert house.rows(Look) == []


def test_an_account_that_half_of_the_processes_work_for_waits(
    house: House, shares: AccountShares
) -> None:
    house.create_open()
    house.clock.move(60)
    with closing(AccountShares(most=0)) as taken:
        work_for(house.parts, ACCOUNT, shares=taken)
    assert house.the_set().state == intents.OPEN
    work_for(house.parts, ACCOUNT, shares=shares)
    assert house.the_set().state == intents.COLLECTED


def test_a_database_that_is_away_ends_the_task_and_not_its_process(
    house: House, shares: AccountShares, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    house.create_open()
    house.clock.move(60)
    with locked(database_url):
        began = time.monotonic()
        work_for(house.parts, ACCOUNT, shares=shares)
        # One second until it counts as away, and one before the next message finds that out.
        assert time.monotonic() - began > 1.9
    assert "The database is away" in "".join(capsys.readouterr())
    work_for(house.parts, ACCOUNT, shares=shares)
    assert house.the_set().state == intents.COLLECTED


def test_a_notification_that_is_applied_wakes_its_account(house: House, broker_url: str) -> None:
    house.create_open()
    house.notify()
    step.apply_hints(house.parts.tools)
    wait_until(lambda: woken(broker_url) == [ACCOUNT])


def test_a_person_who_makes_something_due_wakes_its_account(house: House, broker_url: str) -> None:
    set_id = house.create_open()
    (row,) = house.rows(RequestSet)
    response = house.client.post(
        f"/admin/api/request-sets/{row.id}/actions/look",
        headers={"Authorization": f"Bearer {house.key}"},
        json={},
    )
    assert response.status_code == 200, (set_id, response.text)
    wait_until(lambda: woken(broker_url) == [ACCOUNT])


@pytest.mark.parametrize("url", ["redis://host/0", "amqp://host//"])
def test_how_messages_are_worked_off_follows_the_settings(url: str) -> None:
    settings = make_settings(
        SQLITE, "http://graph.test", broker_url=url, graph_deadline_seconds=20, lease_seconds=40
    )
    conf = make_worker_app(settings).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert conf.task_ignore_result
    assert conf.result_backend is None
    assert not conf.worker_enable_remote_control
    # A step makes several calls, each of which may take its whole deadline.
    assert (conf.task_soft_time_limit, conf.task_time_limit) == (1200, 1240)
    assert conf.broker_connection_retry
    assert conf.broker_connection_retry_on_startup
    assert conf.broker_connection_max_retries is None
    options = conf.broker_transport_options
    if url.startswith("redis"):
        assert options["visibility_timeout"] > conf.task_time_limit
        assert options["socket_timeout"] <= 5
    else:
        assert "visibility_timeout" not in options
        assert options["read_timeout"] <= 5


def test_without_a_broker_nobody_is_woken_and_nothing_is_opened(database_url: str) -> None:
    with open_house(database_url) as house:
        assert (house.parts.broker, house.parts.waker) == (None, None)
        house.parts.wake(ACCOUNT)
        house.create_open()
        house.notify()
        assert house.work() == 1
