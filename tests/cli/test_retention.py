from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from receiver.cli import main
from receiver.lifecycle import retention
from receiver.store.database import DatabaseAway
from receiver.store.models import RequestSet
from tests.support.commands import environment
from tests.support.house import House

# What it says to SQL is tested on both databases where it stands.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DAY = 86_400.0


@pytest.fixture
def old(house: House) -> House:
    """A house in which two sets have been over for ten days, by the clock of the command."""
    house.clock.move(-10 * DAY)
    for _ in range(2):
        house.create_open()
    house.clock.move(60)
    house.work()
    house.clock.move(10 * DAY)
    return house


def run(house: House, *arguments: str, answer: str | None = None, **settings: str) -> Result:
    url = house.parts.settings.database_url.get_secret_value()
    variables = environment(url, **settings)
    return CliRunner().invoke(main, ["retention", *arguments], env=variables, input=answer)


def sets(house: House) -> int:
    return len(house.rows(RequestSet))


def test_it_removes_what_is_older(old: House) -> None:
    result = run(old, "--older-than-days", "9", "--yes")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Removed 2 sets with 4 requests, 0 plans")
    assert sets(old) == 0


def test_it_leaves_what_is_younger(old: House) -> None:
    result = run(old, "--older-than-days", "11", "--yes")
    assert (result.exit_code, sets(old)) == (0, 2)
    assert "Removed 0 sets" in result.stdout


def test_it_goes_by_the_setting(old: House) -> None:
    result = run(old, "--yes", RECEIVER_RETENTION_DAYS="9")
    assert (result.exit_code, sets(old)) == (0, 0)


def test_without_a_time_it_was_called_wrongly(old: House) -> None:
    result = run(old, "--yes")
    assert (result.exit_code, sets(old)) == (2, 2)
    assert "--older-than-days" in result.stderr


@pytest.mark.parametrize("days", ["0", "-1", "36501", "soon"])
def test_a_time_that_makes_no_sense_is_refused(old: House, days: str) -> None:
    assert run(old, "--yes", "--older-than-days", days).exit_code == 2
    assert sets(old) == 2


def test_a_dry_run_asks_nothing_and_removes_nothing(old: House) -> None:
    result = run(old, "--older-than-days", "9", "--dry-run")
    assert (result.exit_code, sets(old)) == (0, 2)
    assert result.stdout.startswith("Would remove 2 sets with 4 requests")


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 2), ("", 2)])
def test_it_asks_before_it_removes(old: House, answer: str, left: int) -> None:
    result = run(old, "--older-than-days", "9", answer=answer)
    assert (result.exit_code, sets(old)) == (0 if left == 0 else 1, left)
    assert "Remove what has been over since before" in result.stderr


def test_ctrl_c_at_the_question_removes_nothing(
    old: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    # As on a terminal: where a shell runs the tests in the background, it is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run(old, "--older-than-days", "9")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.exit_code, sets(old)) == (1, 2)


def test_json_is_all_that_standard_output_holds(old: House) -> None:
    result = run(old, "--older-than-days", "9", "--yes", "--json")
    told = json.loads(result.stdout)
    assert told.pop("before")
    assert told == {
        "is_dry_run": False,
        "sets": 2,
        "requests": 4,
        "notifications": 0,
        "plans": 0,
        "partitions": [],
    }


def test_ctrl_c_ends_it_between_two_steps(old: House, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = retention.steps

    def interrupted(*arguments: Any, **named: Any) -> Iterator[retention.Removed]:
        for step in steps(*arguments, **named):
            os.kill(os.getpid(), signal.SIGINT)
            yield step

    monkeypatch.setattr("receiver.store.retention._SETS_A_STEP", 1)
    monkeypatch.setattr(retention, "steps", interrupted)
    result = run(old, "--older-than-days", "9", "--yes")
    assert (result.exit_code, sets(old)) == (130, 1)
    assert "Interrupted" in result.stderr
    assert result.stdout.startswith("Removed 1 set with 2 requests")


def test_a_database_that_goes_away_is_told_with_how_far_it_came(
    old: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Iterator[retention.Removed]:
        yield retention.Removed(sets=7)
        raise DatabaseAway("gone")

    monkeypatch.setattr(retention, "steps", away)
    result = run(old, "--older-than-days", "9", "--yes")
    assert result.exit_code == 1
    assert "Removed 7 sets" in result.stderr
    assert "The database is away: gone" in result.stderr


def test_what_is_not_over_stays(old: House) -> None:
    with old.parts.database.writing() as session:
        session.execute(update(RequestSet).where(RequestSet.id == 1).values(state="stuck"))
    run(old, "--older-than-days", "9", "--yes")
    assert [row.id for row in old.rows(RequestSet)] == [1]
