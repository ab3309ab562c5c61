from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from receiver.cli import main
from receiver.store import intents
from receiver.store.intents import Attempt
from tests.support.commands import environment
from tests.support.house import ACCOUNT, House

# What these commands read of SQL is tested on both databases where it stands.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def run(house: House, *arguments: str) -> Result:
    settings = house.parts.settings
    variables = environment(
        settings.database_url.get_secret_value().replace("postgresql+psycopg", "postgresql"),
        RECEIVER_GRAPH_URL=settings.graph_url,
        RECEIVER_DEADLINE_MIN_SECONDS="1",
    )
    return CliRunner().invoke(main, list(arguments), env=variables)


def test_two_zeros_end_with_0(house: House) -> None:
    house.create_open()
    house.work()
    result = run(house, "integrity")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "missing 0  doubled 0")
    assert "No account was ever reconciled" in result.output


def test_a_doubled_set_ends_with_1_and_is_shown(house: House) -> None:
    there = house.create_open()
    with house.parts.database.writing() as session:
        intents.keep_found(session, Attempt(1, number=1), facebook_id=99, now=house.clock())
    result = run(house, "integrity")
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "missing 0  doubled 1")
    assert there in result.output
    found = json.loads(run(house, "integrity", "--json").output)
    assert sorted(found["rows"]["doubled"][0]["found_sets"]) == sorted(["99", there])


def test_reconcile_shows_what_differs_and_is_remembered(house: House) -> None:
    set_id = house.create_open()
    house.work()
    account = f"act_{ACCOUNT}"
    assert run(house, "reconcile", "--account", account).exit_code == 0
    house.sandbox.override(set_id, total_count=3)
    result = run(house, "reconcile", "--account", account)
    assert (result.exit_code, "Facebook 3" in result.output) == (1, True), result.output
    found = json.loads(run(house, "integrity", "--json").output)
    assert found["reconciled"][account]["differences"] == 1
    assert "1 difference." in run(house, "integrity", "--account", account).output


def test_reconcile_speaks_json_and_takes_a_time_range(house: House) -> None:
    house.create_open()
    options = ["--since", "2020-01-01", "--until", "2020-01-02T00:00:00", "--json"]
    result = run(house, "reconcile", "--account", str(ACCOUNT), *options)
    found = json.loads(result.stdout)
    assert (found["since"], found["sets"]) == ("2020-01-01T00:00:00Z", 1)
    assert (found["differences"], result.exit_code) == ([], 0)


def test_a_time_range_that_ends_before_it_begins_is_refused(house: House) -> None:
    options = ["--since", "2020-01-02", "--until", "2020-01-01"]
    result = run(house, "reconcile", "--account", str(ACCOUNT), *options)
    assert (result.exit_code, "must be earlier" in result.output) == (2, True)


@pytest.mark.parametrize("command", ["integrity", "reconcile"])
def test_an_account_that_nobody_added_is_refused(house: House, command: str) -> None:
    result = run(house, command, "--account", "act_4711")
    assert (result.exit_code, "act_4711 is not known" in result.output) == (2, True)
    assert house.sandbox.calls()["calls"] == []


def test_a_database_that_is_away_is_no_finding(database_url: str) -> None:
    assert database_url.startswith("sqlite")
    nowhere = environment("postgresql://nobody@127.0.0.1:1/nowhere")
    result = CliRunner().invoke(main, ["integrity"], env=nowhere)
    assert (result.exit_code, "The database is away" in result.output) == (3, True)


def test_wrong_settings_are_told_apart_from_findings_too(house: House) -> None:
    nothing = environment("nonsense")
    result = CliRunner().invoke(main, ["integrity"], env=nothing)
    assert (result.exit_code, house.sandbox.calls()["calls"]) == (2, [])


def test_facebooks_refusal_ends_reconcile_in_words(house: House) -> None:
    house.sandbox.trouble("graph_error", code=190, method="GET", count=3)
    result = run(house, "reconcile", "--account", str(ACCOUNT))
    assert (result.exit_code, "code 190" in result.output) == (1, True)
