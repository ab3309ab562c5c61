"""A database that goes away in the middle of a step: what the step holds is soon due again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

import pytest

from receiver.graph import looks as graph_looks
from receiver.lifecycle import refresh, step
from receiver.lifecycle.tools import Tools
from receiver.store import intents
from receiver.store.database import Database, DatabaseAway
from receiver.store.models import Request, RequestSet
from tests.support.databases import locked
from tests.support.house import House
from tests.support.loops import wait_until

READ = {"method": "GET", "path": "^/?[0-9]+$"}
SETS = 3
SOON_SECONDS = 2


@dataclass
class Outage:
    """A database that goes away during a step's call, for as long as ``pauses`` says.

    ``pauses`` is how often the step waits for it until it is there again; None for never.
    """

    house: House
    database_url: str
    pauses: int | None = 2
    has_time: bool = True
    waited_seconds: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def break_off(self, work: Callable[[Tools], object] = step.advance) -> None:
        """Do a step that the outage breaks off."""
        self._lock = ExitStack()
        before = self._troubles()
        self.house.sandbox.trouble("hold", effect="before", **READ)
        with (
            self._lock,
            closing(Database(self.database_url, timeout_seconds=0.2)) as impatient,
            ThreadPoolExecutor(1) as pool,
        ):
            tools = replace(
                self.house.parts.tools,
                database=impatient,
                wait=self._wait,
                monotonic=lambda: sum(self.waited_seconds),
            )
            broken_off = pool.submit(work, tools)
            wait_until(lambda: self._troubles() > before)
            self.meanwhile()
            self._lock.enter_context(locked(self.database_url))
            self.house.sandbox.release()
            with pytest.raises(DatabaseAway):
                broken_off.result()
        self.house.sandbox.end_troubles()

    def _troubles(self) -> int:
        return sum(call["trouble"] is not None for call in self.house.sandbox.calls()["calls"])

    def _wait(self, seconds: float) -> bool:
        self.waited_seconds.append(seconds)
        if len(self.waited_seconds) == self.pauses:
            self._lock.close()
        return self.has_time


@pytest.fixture
def outage(house: House, database_url: str) -> Iterator[Outage]:
    """Three sets of one account are complete and due."""
    for _ in range(SETS):
        house.create_open()
    house.clock.move(60)
    yield Outage(house, database_url)
    house.sandbox.reset()


def assert_all_is_collected_once(house: House) -> None:
    assert {row.state for row in house.rows(RequestSet)} == {intents.COLLECTED}
    assert len(house.rows(Request)) == 2 * SETS


def seconds_until_due(house: House) -> list[float]:
    now = house.clock()
    return [(row.look_at - now).total_seconds() for row in house.rows(RequestSet) if row.look_at]


def held(house: House) -> list[int]:
    return [row.id for row in house.rows(RequestSet) if row.lease_token is not None]


def test_all_that_a_step_held_is_worked_on_within_seconds(house: House, outage: Outage) -> None:
    outage.break_off()

    assert len(outage.waited_seconds) == 2
    assert held(house) == []
    assert seconds_until_due(house) == [1.0] * SETS
    # The claim counts all the same.
    assert [row.quiet_looks for row in house.rows(RequestSet)] == [1] * SETS
    house.clock.move(SOON_SECONDS)
    house.work()
    assert_all_is_collected_once(house)


def test_what_breaks_off_again_and_again_is_tried_ever_more_seldom(
    house: House, outage: Outage
) -> None:
    pauses = []
    for _ in range(4):
        outage.waited_seconds = []
        outage.break_off()
        pauses.append(max(seconds_until_due(house)))
        house.clock.move(pauses[-1])
    assert pauses == [1, 2, 4, 8]
    house.work()
    assert_all_is_collected_once(house)


def test_a_notification_during_the_step_is_heard(house: House, outage: Outage) -> None:
    def hint() -> None:
        house.notify()
        assert step.apply_hints(house.parts.tools)

    outage.meanwhile = hint
    outage.break_off()
    hinted = [row for row in house.rows(RequestSet) if row.hinted_at is not None]
    assert [row.look_at for row in hinted] == [house.clock()]
    assert held(house) == []


def test_a_process_that_has_to_end_leaves_the_rest_to_the_lease(
    house: House, outage: Outage
) -> None:
    outage.has_time, outage.pauses = False, None
    outage.break_off()
    assert len(outage.waited_seconds) == 1
    assert held(house) == [1, 2, 3]
    house.clock.move(house.parts.settings.lease_seconds)
    house.work()
    assert_all_is_collected_once(house)


def test_nobody_waits_for_longer_than_the_lease(house: House, outage: Outage) -> None:
    outage.pauses = None
    lease = replace(house.parts.tools.pace, lease_seconds=3.0)
    outage.break_off(lambda tools: step.advance(replace(tools, pace=lease)))
    assert sum(outage.waited_seconds) == 3.0
    house.clock.move(house.parts.settings.lease_seconds)
    house.work()
    assert_all_is_collected_once(house)


def test_a_reader_whose_look_broke_off_does_not_keep_the_worker_waiting(
    house: House, outage: Outage
) -> None:
    outage.break_off(lambda tools: refresh.refresh(tools, 1, read_before=None, with_requests=False))
    assert held(house) == []
    house.clock.move(SOON_SECONDS)
    house.work()
    assert_all_is_collected_once(house)


def test_what_was_held_beside_a_set_that_fails_unforeseen_is_soon_due_again(
    house: House, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(graph_looks, "look", fail)
        assert step.advance(house.parts.tools)
        # The set that was claimed is put off; those beside it were nobody's fault.
        assert held(house) == []
        *beside, own = sorted(seconds_until_due(house))
        assert own >= house.parts.settings.look_interval_min_seconds
        assert beside == [1.0] * (SETS - 1)
        assert not step.advance(house.parts.tools)
        house.clock.move(1)
        assert step.advance(house.parts.tools)
        assert not step.advance(house.parts.tools)
    assert outage.waited_seconds == []
    house.clock.move(60)
    house.work()
    assert_all_is_collected_once(house)
