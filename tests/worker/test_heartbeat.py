from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from receiver.store.database import Database
from receiver.store.models import WorkerHeartbeat
from receiver.worker.heartbeat import Heartbeat
from tests.support.databases import locked
from tests.support.house import House
from tests.support.loops import loop_of, running, wait_until


def test_two_workers_of_one_machine_have_rows_of_their_own(house: House) -> None:
    one, other = Heartbeat(house.parts.tools), Heartbeat(house.parts.tools)
    for each in (one, other, one):
        assert each.beat() is False
    ids = {row.worker_id for row in house.rows(WorkerHeartbeat)}
    assert ids == {one.worker_id, other.worker_id}


def test_a_beat_forgets_who_died_more_than_a_day_ago(house: House) -> None:
    dead, alive = Heartbeat(house.parts.tools), Heartbeat(house.parts.tools)
    dead.beat()
    house.clock.move(timedelta(days=1, seconds=1).total_seconds())
    alive.beat()
    assert [row.worker_id for row in house.rows(WorkerHeartbeat)] == [alive.worker_id]


def test_a_loop_beats_from_its_start_and_takes_its_row_away_at_its_end(house: House) -> None:
    with running(loop_of(house)):
        wait_until(lambda: len(house.rows(WorkerHeartbeat)) == 1)
        (row,) = house.rows(WorkerHeartbeat)
        assert row.started_at <= row.beat_at <= house.clock()
    assert house.rows(WorkerHeartbeat) == []


def test_an_end_without_the_database_leaves_the_row_and_says_so_in_no_error(
    house: House, database_url: str
) -> None:
    impatient = Database(database_url, timeout_seconds=0.1)
    heartbeat = Heartbeat(replace(house.parts.tools, database=impatient))
    heartbeat.beat()
    with locked(database_url):
        ending = threading.Thread(target=heartbeat.end)
        ending.start()
        ending.join(10)
        assert not ending.is_alive()
    impatient.close()
    assert len(house.rows(WorkerHeartbeat)) == 1
