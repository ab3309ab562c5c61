"""Statements on which workers are alive: each writes a row again and again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from receiver.store.models import WorkerHeartbeat


def beat(session: Session, worker_id: str, *, started_at: datetime, now: datetime) -> None:
    """Write that a worker is alive now. Nobody else writes its row."""
    session.merge(WorkerHeartbeat(worker_id=worker_id, started_at=started_at, beat_at=now))


def forget(session: Session, *, before: datetime) -> int:
    """Remove the workers that were last alive before a moment, and return how many they were."""
    gone = session.execute(
        delete(WorkerHeartbeat)
        .where(WorkerHeartbeat.beat_at < before)
        .returning(WorkerHeartbeat.worker_id)
    )
    return len(gone.all())


def end(session: Session, worker_id: str) -> None:
    """Remove a worker that ends."""
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.worker_id == worker_id))


def newest(session: Session, *, not_after: datetime) -> datetime | None:
    """Return when any worker was last alive; None where none was within a day.

    Heartbeats after a moment are from a clock that is wrong, and tell nothing.
    """
    beats = select(func.max(WorkerHeartbeat.beat_at)).where(WorkerHeartbeat.beat_at <= not_after)
    return session.execute(beats).scalar_one()
