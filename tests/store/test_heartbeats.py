from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from receiver.store import heartbeats
from receiver.store.database import Database
from receiver.store.models import WorkerHeartbeat

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def beat(database: Database, worker_id: str, *, at: datetime) -> None:
    with database.writing() as session:
        heartbeats.beat(session, worker_id, started_at=NOW, now=at)


def rows(database: Database) -> dict[str, tuple[datetime, datetime]]:
    with database.reading() as session:
        found = session.scalars(select(WorkerHeartbeat))
        return {row.worker_id: (row.started_at, row.beat_at) for row in found}


def test_a_worker_has_one_row_however_often_it_beats(database: Database) -> None:
    beat(database, "one", at=NOW)
    beat(database, "one", at=NOW + MINUTE)
    assert rows(database) == {"one": (NOW, NOW + MINUTE)}


def test_the_newest_of_several_workers_counts(database: Database) -> None:
    beat(database, "one", at=NOW + MINUTE)
    beat(database, "two", at=NOW)
    with database.reading() as session:
        assert heartbeats.newest(session, not_after=NOW + MINUTE) == NOW + MINUTE


def test_a_heartbeat_from_the_future_tells_nothing(database: Database) -> None:
    beat(database, "whose clock is ahead", at=NOW + MINUTE)
    beat(database, "alive", at=NOW)
    with database.reading() as session:
        assert heartbeats.newest(session, not_after=NOW + MINUTE / 2) == NOW


def test_without_a_worker_there_is_no_newest(database: Database) -> None:
    with database.reading() as session:
        assert heartbeats.newest(session, not_after=NOW) is None


def test_what_died_long_ago_is_forgotten_and_nothing_else(database: Database) -> None:
    beat(database, "dead", at=NOW - MINUTE)
    beat(database, "alive", at=NOW)
    with database.writing() as session:
        assert heartbeats.forget(session, before=NOW) == 1
    assert list(rows(database)) == ["alive"]


def test_a_worker_that_ends_takes_its_own_row_away(database: Database) -> None:
    beat(database, "one", at=NOW)
    beat(database, "two", at=NOW)
    with database.writing() as session:
        heartbeats.end(session, "one")
    assert list(rows(database)) == ["two"]
