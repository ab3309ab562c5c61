from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from receiver.assembly import utc_now
from receiver.cli import main
from receiver.store import intents, points, waits
from receiver.store.models import RequestSet
from receiver.store.waits import Wait
from tests.support.acting import set_of_somebody
from tests.support.commands import environment
from tests.support.house import ACCOUNT, House, ad

# What these commands read of SQL is tested on both databases where it stands.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def run(house: House, *arguments: object) -> Result:
    settings = house.parts.settings
    variables = environment(
        settings.database_url.get_secret_value().replace("postgresql+psycopg", "postgresql"),
        RECEIVER_GRAPH_URL=settings.graph_url,
    )
    return CliRunner().invoke(main, ["set", *map(str, arguments)], env=variables)


def lose(house: House, *, kind: str = "commit_then_drop") -> int:
    house.sandbox.trouble(kind, **CREATE)
    assert house.create().status_code == 409
    return house.rows(RequestSet)[-1].id


def test_a_person_adopts_the_set_that_was_lost(house: House) -> None:
    number = lose(house)
    there = house.sandbox.ledger()[0]["id"]
    result = run(house, "adopt", number, there)
    assert result.exit_code == 0, result.output
    assert f"Set {number} is open as {there}" in result.output
    # The command read the clock of this machine, ours stands still.
    house.clock.move(60)
    house.work()
    assert house.the_set().state == intents.COLLECTED


def test_a_set_that_names_another_intent_is_not_adopted(house: House) -> None:
    other = house.create_open()
    number = lose(house, kind="reset")
    result = run(house, "adopt", number, other)
    assert result.exit_code == 1
    assert f"is the set of {number - 1}, by its URI" in result.output


def test_a_set_with_another_count_is_not_adopted(house: House) -> None:
    there = set_of_somebody(house, [ad("one")])
    result = run(house, "adopt", lose(house, kind="reset"), there)
    assert (result.exit_code, "and 2 were asked for" in result.output) == (1, True)


def test_an_id_that_another_set_holds_is_not_adopted(house: House) -> None:
    there = set_of_somebody(house, [ad("one"), ad("two")])
    first = lose(house, kind="reset")
    assert run(house, "adopt", first, there).exit_code == 0
    result = run(house, "adopt", lose(house, kind="reset"), there)
    assert (result.exit_code, f"Set {first} has the id {there}" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["adopt", "1", "4711"], "Facebook does not show 4711"),
        (["adopt", "99", "4711"], "There is no set 99."),
        (["abandon", "99"], "There is no set 99."),
    ],
)
def test_what_cannot_be_decided_is_refused_in_words(
    house: House, arguments: list[str], sentence: str
) -> None:
    lose(house)
    result = run(house, *arguments)
    assert (result.exit_code, sentence in result.output) == (1, True), result.output


def test_a_set_with_an_outcome_is_neither_adopted_nor_given_up(house: House) -> None:
    there = house.create_open()
    adopted, given_up = run(house, "adopt", 1, there), run(house, "abandon", 1)
    assert (adopted.exit_code, given_up.exit_code) == (1, 1)
    assert "it has the id" in adopted.output
    assert "its outcome is known" in given_up.output


def test_a_person_gives_up_what_was_lost(house: House) -> None:
    number = lose(house, kind="reset")
    result = run(house, "abandon", number, "--reason", "The campaign is over.")
    assert (result.exit_code, "never sent again" in result.output) == (0, True)
    row = house.the_set()
    assert (row.state, row.state_reason, row.look_at) == (
        intents.REJECTED,
        "The campaign is over.",
        None,
    )
    assert row.abandoned_at is not None


def test_what_is_on_its_way_cannot_be_given_up(house: House) -> None:
    number = lose(house)
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, number).state = intents.SUBMITTING
    result = run(house, "abandon", number)
    assert (result.exit_code, "may be on its way" in result.output) == (1, True)


def test_without_points_nothing_is_adopted_and_the_command_says_so(house: House) -> None:
    number = lose(house, kind="commit_then_drop")
    with house.parts.database.writing() as session:
        points.change(session, ACCOUNT, lambda ledger: ledger.score.add(9000, now=utc_now()))
    result = run(house, "adopt", number, house.sandbox.ledger()[0]["id"])
    assert (result.exit_code, "of a limit is used" in result.output) == (1, True), result.output


def test_a_set_of_an_account_that_waits_is_adopted_later(house: House) -> None:
    number = lose(house, kind="reset")
    # The command read the clock of this machine.
    until = datetime(2900, 1, 1, tzinfo=UTC)
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(until))

    result = run(house, "adopt", number, 4711)

    assert result.exit_code == 1
    assert "Try again after 2900-01-01 00:00:00 UTC." in result.stderr
