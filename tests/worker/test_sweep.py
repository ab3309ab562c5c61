from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import update

from receiver.broker.connection import Broker
from receiver.store import intents
from receiver.store.models import Notification, RequestSet
from receiver.worker import sweep
from receiver.worker.loop import Loop
from receiver.worker.sweep import Sweep
from tests.support.brokers import woken
from tests.support.dead_addresses import dead_port
from tests.support.house import ACCOUNT, House, add_account
from tests.support.loops import running, wait_until


@pytest.fixture
def swept(house: House, broker_url: str) -> Iterator[Sweep]:
    with closing(Broker(broker_url)) as broker:
        yield Sweep(house.parts.tools, broker)


def test_every_account_with_work_due_is_woken_once_however_much_there_is(
    house: House, swept: Sweep, broker_url: str
) -> None:
    add_account(house.parts, 99)
    for _ in range(3):
        house.create_open()
    house.clock.move(60)
    assert swept.wake_due() is False
    assert woken(broker_url) == [ACCOUNT]


def test_what_is_not_due_wakes_nobody(house: House, swept: Sweep, broker_url: str) -> None:
    house.create_open()
    swept.wake_due()
    assert woken(broker_url) == []


def test_a_queue_that_is_full_is_left_alone(
    house: House, swept: Sweep, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "MOST_MESSAGES", 3)
    house.create_open()
    house.clock.move(60)
    with closing(Broker(broker_url)) as broker:
        for _ in range(3):
            broker.send(99)
    swept.wake_due()
    assert woken(broker_url) == [99] * 3


def test_an_account_with_work_waits_once_and_one_that_comes_later_right_behind_it(
    house: House, swept: Sweep, broker_url: str
) -> None:
    house.create_open()
    house.clock.move(60)
    for _ in range(9):
        swept.wake_due()
    add_account(house.parts, 99)
    later = house.create_open()
    with house.parts.database.writing() as session:
        its = RequestSet.facebook_id == int(later)
        session.execute(update(RequestSet).where(its).values(account_id=99))
    house.clock.move(60)
    for _ in range(9):
        swept.wake_due()
    # Fewer waited than had work due when the second came: all were sent once more.
    assert woken(broker_url) == [ACCOUNT, ACCOUNT, 99]


def test_a_message_that_is_lost_is_sent_again(house: House, swept: Sweep, broker_url: str) -> None:
    house.create_open()
    house.clock.move(60)
    for _ in range(3):
        swept.wake_due()
        assert woken(broker_url) == [ACCOUNT]


def test_a_broker_that_is_away_is_told_of_once_and_stops_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.create_open()
    house.clock.move(60)
    with dead_port("refused") as port, closing(Broker(f"redis://127.0.0.1:{port}/0")) as broker:
        swept = Sweep(house.parts.tools, broker)
        assert [swept.wake_due() for _ in range(3)] == [False] * 3
    assert "".join(capsys.readouterr()).count("The broker is away") == 1


def test_what_nobody_took_for_a_while_the_loop_takes_and_nothing_before(house: House) -> None:
    older = house.create_open()
    house.clock.move(60 + sweep.PATIENCE.total_seconds() - 1)
    newer = house.create_open()
    house.notify(newer)
    loop = Loop(house.parts.tools, threads=2, interval_seconds=0.02, due_for=sweep.PATIENCE)
    with running(loop):
        wait_until(lambda: all(row.applied_at for row in house.rows(Notification)))
        assert states(house) == {older: intents.OPEN, newer: intents.OPEN}
        house.clock.move(1)
        wait_until(lambda: states(house)[older] == intents.COLLECTED)
        # One look sees what else of the account is due, so the newer one may be collected with it.
    assert len(states(house)) == 2


def states(house: House) -> dict[str, str]:
    return {str(row.facebook_id): row.state for row in house.rows(RequestSet)}
