from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from receiver.cli import main
from receiver.graph.usage import Usage
from receiver.lifecycle.spending import correct
from receiver.store.models import RequestSet
from tests.support.commands import environment
from tests.support.house import ACCOUNT, House
from tests.support.rows import at

# What these commands read of SQL is tested on both databases where it stands.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def explain(house: House, *options: str) -> Result:
    settings = house.parts.settings
    url = settings.database_url.get_secret_value().replace("postgresql+psycopg", "postgresql")
    variables = environment(url, RECEIVER_GRAPH_URL=settings.graph_url, COLUMNS="160")
    return CliRunner().invoke(main, ["poll", "explain", *options], env=variables)


def the_plan(house: House) -> dict[str, Any]:
    (plan,) = json.loads(explain(house, "--json").output)
    found: dict[str, Any] = plan
    return found


def make_old(house: House) -> None:
    """Make everything due by the clock of this machine."""
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(look_at=at(-(10**6))))


def test_an_account_without_sets_has_nothing_due(house: House) -> None:
    assert (the_plan(house)["due"], the_plan(house)["points"]) == (0, 0)
    assert "nothing is due" in explain(house).output


def test_few_sets_are_read_by_themselves_and_many_are_swept(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"set {number}")
    make_old(house)
    plan = the_plan(house)
    assert (plan["way"], plan["read_by_themselves"], plan["points"]) == ("batch", 3, 3)
    for number in range(20):
        house.create_open(name=f"more {number}")
    make_old(house)
    plan = the_plan(house)
    assert (plan["way"], plan["swept"], plan["page_budget"]) == ("sweep", 23, 5)
    assert "sweep for 23, at most 5 pages" in " ".join(explain(house).output.split())


def test_what_is_lost_is_counted_as_searched(house: House) -> None:
    house.sandbox.trouble("reset", **CREATE)
    assert house.create().status_code == 409
    make_old(house)
    assert (the_plan(house)["searched"], the_plan(house)["due"]) == (1, 0)


def test_the_score_and_a_wait_are_shown(house: House) -> None:
    correct(house.parts.tools, ACCOUNT, Usage(tier="development_access", score_percent=50))
    house.sandbox.trouble("graph_error", code=613, **CREATE)
    assert house.create().status_code == 400
    plan = the_plan(house)
    # The refusal's own headers said more of the account than the ones before.
    assert (plan["score_limit"], plan["tier"]) == (9000, "standard_access")
    assert plan["score"] > 0
    assert "receiver account resume" in plan["parked_reason"]
    assert f"act_{ACCOUNT} waits" in explain(house).output


def test_what_was_learned_is_shown(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"set {number}")
        house.clock.move(40)
        house.notify()
        house.work()
    plan = the_plan(house)
    assert plan["first_look_seconds_by_size"] == {"2": 60.0}
    assert (plan["sets_learned_from"], plan["loss_rate"]) == (3, 0)
    assert "60 s" in explain(house).output


def test_explaining_asks_and_changes_nothing(house: House) -> None:
    house.create_open()
    make_old(house)
    before = (house.sandbox.calls(), house.the_set().look_at)
    explain(house)
    assert (house.sandbox.calls(), house.the_set().look_at) == before


def test_an_unknown_account_is_refused(house: House) -> None:
    result = explain(house, "--account", "4711")
    assert (result.exit_code, "act_4711 is not known" in result.output) == (2, True)
