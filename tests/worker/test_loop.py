from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

from receiver.lifecycle.submit import submit
from receiver.store import intents
from receiver.store.claims import Claim
from receiver.store.database import Database
from receiver.store.intents import NewIntent
from receiver.store.models import Request, RequestSet
from receiver.worker.loop import Loop, _Work
from tests.support.databases import locked
from tests.support.house import ACCOUNT, House, ad, add_account
from tests.support.loops import loop_of, running, wait_until


def all_collected(house: House) -> bool:
    return {row.state for row in house.rows(RequestSet)} == {intents.COLLECTED}


def test_a_notification_is_followed_by_the_results(house: House) -> None:
    with running(loop_of(house)):
        house.create_open()
        house.notify()
        wait_until(lambda: all_collected(house))
    assert house.the_set().learned_by == "notification"


def test_without_a_notification_the_results_come_by_polling(house: House) -> None:
    house.create_open()
    house.clock.move(60)
    with running(loop_of(house)):
        wait_until(lambda: all_collected(house))
    assert house.the_set().learned_by == "poll"


def test_two_loops_on_one_database_collect_each_set_exactly_once(house: House) -> None:
    for _ in range(12):
        house.create_open()
    house.clock.move(60)
    with running(loop_of(house, threads=3)), running(loop_of(house, threads=3)):
        wait_until(lambda: all_collected(house))
    calls = [call["path"] for call in house.sandbox.calls()["calls"]]
    collected = [path for path in calls if path.endswith("/requests")]
    assert len(collected) == len(set(collected))
    assert len(house.rows(Request)) == 24


def test_a_stop_lets_a_step_end_and_begins_no_other(house: House) -> None:
    house.without_expansion().create_open()
    add_account(house.parts, 99)
    # It is due a moment later: one thread takes one step after the other.
    house.clock.move(1)
    open_set_of(house, 99)
    house.sandbox.trouble("hold", method="GET", path="/requests$", effect="before")
    loop = loop_of(house, threads=1)
    with running(loop) as thread:
        wait_until(lambda: any(call["trouble"] for call in house.sandbox.calls()["calls"]))
        loop.stop()
        thread.join(0.1)
        assert thread.is_alive()
        house.sandbox.release()
    states = sorted(row.state for row in house.rows(RequestSet))
    assert states == [intents.COLLECTED, intents.OPEN]


def test_a_stop_before_the_start_ends_at_once(house: House) -> None:
    house.create_open()
    house.clock.move(60)
    loop = loop_of(house)
    loop.stop()
    loop.run()
    assert house.the_set().state == intents.OPEN


def test_a_database_that_goes_away_and_comes_back_does_not_end_the_loop(
    house: House, database_url: str
) -> None:
    house.create_open()
    house.notify()
    impatient = Database(database_url, timeout_seconds=0.1)
    loop = Loop(replace(house.parts.tools, database=impatient), threads=2, interval_seconds=0.02)
    with locked(database_url):
        thread = threading.Thread(target=loop.run)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assert house.the_set().state == intents.OPEN
    wait_until(lambda: all_collected(house))
    loop.stop()
    thread.join(10)
    impatient.close()


def test_a_loop_that_is_stopped_does_not_wait_for_a_database_that_is_away(
    house: House, database_url: str
) -> None:
    house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("hold", method="GET", path="^/?[0-9]+$", effect="before")
    impatient = Database(database_url, timeout_seconds=0.1)
    loop = Loop(replace(house.parts.tools, database=impatient), threads=1, interval_seconds=0.02)
    with running(loop) as thread:
        wait_until(lambda: held(house) == 1)
        with locked(database_url):
            house.sandbox.release()
            thread.join(1)
            # It holds the set, and tries for as long as its lease to let go of it.
            assert thread.is_alive()
            loop.stop()
            thread.join(5)
            assert not thread.is_alive()
            assert house.the_set().lease_token is not None
    impatient.close()


def test_a_step_that_fails_in_a_way_nobody_foresaw_does_not_end_the_loop(house: House) -> None:
    calls = []
    moments = house.parts.tools.now

    def now_and_then() -> object:
        calls.append(threading.current_thread().name)
        if len(calls) == 1:
            raise ZeroDivisionError
        return moments()

    house.create_open()
    house.clock.move(60)
    tools = replace(house.parts.tools, now=now_and_then)  # type: ignore[arg-type]  # it fails once
    with running(Loop(tools, threads=1, interval_seconds=0.02)):
        wait_until(lambda: all_collected(house))
    assert len(calls) > 1
    assert house.rows(RequestSet)[0].account_id == ACCOUNT


def test_an_account_whose_calls_hang_leaves_threads_to_the_others(house: House) -> None:
    add_account(house.parts, 99)
    house.create_open(name="Slow 1")
    house.sandbox.trouble("hold", method="GET", account=str(ACCOUNT), count=100)
    house.clock.move(60)
    with running(loop_of(house, threads=4)):
        wait_until(lambda: held(house) == 1)
        for number in range(2, 5):
            # What is due while another look is under way is looked at beside it.
            house.create_open(name=f"Slow {number}")
            house.clock.move(60)
            wait_until(lambda: held(house) == min(number, 2))  # noqa: B023  # called at once
        request_set_id = open_set_of(house, 99)
        wait_until(
            lambda: (
                request_set_id
                in {row.id for row in house.rows(RequestSet) if row.state == intents.COLLECTED}
            )
        )
        assert held(house) == 2
        house.sandbox.reset()


def held(house: House) -> int:
    calls = house.sandbox.calls()["calls"]
    return sum(call["trouble"] == "hold" for call in calls)


def open_set_of(house: House, account_id: int) -> int:
    """Create a set of another account, due at once, and return our id of it."""
    intent = NewIntent(
        account_id=account_id,
        api_key_id=None,
        name="Quick",
        ad_specs=json.dumps([ad("one")]).encode(),
        spec_count=1,
        notification_uri=None,
        notification_mode="OFF",
    )
    submitted = submit(house.parts.tools, intent)
    house.clock.move(60)
    return submitted.request_set_id


def test_a_stop_just_as_a_thread_begins_to_look_is_not_missed(house: House) -> None:
    class StoppedOnceAsked(threading.Event):
        """Somebody stops the loop right after a thread found that it goes on."""

        def is_set(self) -> bool:
            before = super().is_set()
            self.set()
            work.look_again()
            return before

    def nothing(*_: object, **__: object) -> None:
        return None

    work: _Work[Claim] = _Work(
        house.parts.tools,
        claim=nothing,
        do=nothing,
        threads=1,
        interval_seconds=20,
        stopping=StoppedOnceAsked(),
    )
    began = time.monotonic()
    assert not work.step()
    assert time.monotonic() - began < 5
