"""A change that Facebook makes tells of the account's limits, as a reading does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from receiver.lifecycle import change
from receiver.lifecycle.actions import there
from receiver.store import points, waits
from tests.support.house import ACCOUNT, House, ad
from tests.support.sandbox import GraphCaller


def cancel(house: House) -> None:
    change.cancel(house.parts.tools, house.the_set(), request_id=None)


def rename(house: House) -> None:
    change.rename(house.parts.tools, house.the_set(), name="Another")


def repoint(house: House) -> None:
    there.repoint(house.parts.tools, house.the_set())


def known_points(house: House) -> float:
    with house.parts.database.reading() as session:
        return points.read(session, ACCOUNT).score.at(house.clock())


def spend_elsewhere(house: House) -> None:
    """Let another program spend points of the account, which only the usage headers tell."""
    caller = GraphCaller(house.sandbox.url)
    with caller.session:
        for _ in range(4):
            caller.create(str(ACCOUNT), [ad("one")])


@pytest.mark.parametrize("ask", [cancel, rename, repoint])
def test_the_usage_that_a_change_shows_is_noted(house: House, ask: Callable[[House], None]) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.sandbox.configure(f"act_{ACCOUNT}", limits={"tier": "development_access"})
    house.create_open()
    spend_elsewhere(house)

    ask(house)

    assert known_points(house) == pytest.approx(house.sandbox.calls()["totals"]["points"], abs=1)


def test_the_usage_that_telling_a_uri_shows_is_noted(house: House) -> None:
    house.sandbox.configure(f"act_{ACCOUNT}", limits={"tier": "development_access"})
    spend_elsewhere(house)
    operation = {
        "method": "POST",
        "name": "a",
        "relative_url": f"act_{ACCOUNT}/campaigns",
        "body": "name=x&objective=LINK_CLICKS",
    }
    form = {"name": "B", "adbatch": json.dumps([operation]), "access_token": house.key}

    answer = house.client.post(f"/v21.0/act_{ACCOUNT}/async_batch_requests", data=form)

    assert answer.status_code == 200, answer.text
    assert known_points(house) == pytest.approx(house.sandbox.calls()["totals"]["points"], abs=1)


@pytest.mark.parametrize("ask", ["cancel", "rename"])
def test_the_wait_that_a_refused_change_asks_for_is_kept(house: House, ask: str) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open()
    method = {"cancel": "DELETE", "rename": "POST"}[ask]
    house.sandbox.trouble("graph_error", code=80004, method=method, path=f"{set_id}$")

    answer = house.client.open(
        f"/v21.0/{set_id}", method=method, data={"name": "B", "access_token": house.key}
    )

    assert answer.status_code == 400
    with house.parts.database.reading() as session:
        assert waits.is_waiting(session, ACCOUNT, now=house.clock())
