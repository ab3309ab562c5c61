"""The sandbox's time: the real one, until somebody moves it forward or lets it stand still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_LAST_MOMENT = datetime(3000, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


class VirtualClock:
    """A clock that follows ``source``, ahead of it by what it was moved.

    Only a reset takes it back.
    """

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        # One value, replaced whole: whoever reads the time needs no lock.
        self._state: tuple[timedelta, datetime | None] = (timedelta(), None)

    def __call__(self) -> datetime:
        ahead, frozen_at = self._state
        return self._source() + ahead if frozen_at is None else frozen_at

    @property
    def is_frozen(self) -> bool:
        return self._state[1] is not None

    @property
    def ahead_seconds(self) -> float:
        """How far the clock is from the real time; below zero when it stood still for long."""
        return (self() - self._source()).total_seconds()

    def move(self, seconds: float) -> None:
        """Go forward. Raises ValueError for a moment beyond the year 3000."""
        step = timedelta(seconds=seconds)
        if self() + step > _LAST_MOMENT:
            raise ValueError("The clock ends with the year 2999.")
        ahead, frozen_at = self._state
        self._state = (ahead + step, None if frozen_at is None else frozen_at + step)

    def freeze(self) -> None:
        self._state = (self._state[0], self())

    def thaw(self) -> None:
        """Go on from where the clock stands."""
        now = self()
        self._state = (now - self._source(), None)

    def reset(self) -> None:
        """Go back to the real time."""
        self._state = (timedelta(), None)
