"""What a person decides of a create without an outcome reaches no further than it may."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest

from receiver.graph.client import GraphClient
from receiver.lifecycle import decide, step
from receiver.lifecycle.decide import CannotDecide
from receiver.lifecycle.recheck import recheck_next
from receiver.store import points, waits
from receiver.store.models import Account, RequestSet
from tests.support.acting import CREATE, abandon, adopt, doubled, post, set_number, set_of_somebody
from tests.support.facebook import facebook_shows, page
from tests.support.house import ACCOUNT, House


def lose(house: House, kind: str = "reset") -> None:
    house.sandbox.trouble(kind, **CREATE)
    assert house.create().status_code == 409


def shown(**fields: Any) -> dict[str, Any]:
    return {"id": "50", "owner_id": str(ACCOUNT), "total_count": 2, "name": "A set", **fields}


def test_a_set_of_another_account_is_not_adopted(house: House) -> None:
    other = 5550001
    with house.parts.database.writing() as session:
        credential_id = session.get_one(Account, ACCOUNT).credential_id
        session.add(Account(id=other, credential_id=credential_id, created_at=house.clock()))
    foreign = set_of_somebody(house, account_id=other)
    lose(house)

    answer = adopt(house, foreign)

    assert answer.status_code == 409, answer.text
    assert f"does not belong to act_{ACCOUNT}" in answer.get_json()["detail"]
    assert house.the_set().facebook_id is None


def test_a_set_whose_account_is_not_shown_is_adopted_only_if_it_names_the_create(
    house: House,
) -> None:
    lose(house)
    nobodys = shown(owner_id=None)
    with (
        facebook_shows(house.parts.tools, nobodys) as (tools, _),
        pytest.raises(CannotDecide, match="does not show which account"),
    ):
        decide.adopt(tools, 1, facebook_id=50)
    token = house.parts.keys.sign_token(intent=1, attempt=1)
    its_own = shown(owner_id=None, notification_uri=f"https://r/notifications/{token}")

    with facebook_shows(house.parts.tools, its_own) as (tools, _):
        decide.adopt(tools, 1, facebook_id=50)

    assert (house.the_set().state, house.the_set().facebook_id) == ("open", 50)


def test_of_a_set_whose_account_is_not_shown_no_number_is_told(house: House) -> None:
    lose(house)
    token = house.parts.keys.sign_token(intent=4711, attempt=1)
    foreign = shown(owner_id=None, notification_uri=f"https://r/notifications/{token}")
    with (
        facebook_shows(house.parts.tools, foreign) as (tools, _),
        pytest.raises(CannotDecide) as refused,
    ):
        decide.adopt(tools, 1, facebook_id=50)
    assert "4711" not in str(refused.value)


def test_an_id_that_a_set_of_another_account_holds_is_refused_without_its_number(
    house: House,
) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        credential_id = session.get_one(Account, ACCOUNT).credential_id
        session.add(Account(id=5, credential_id=credential_id, created_at=house.clock()))
        session.flush()
        session.get_one(RequestSet, 1).account_id = 5
        session.get_one(RequestSet, 1).facebook_id = 50
    lose(house)

    with (
        facebook_shows(house.parts.tools, shown()) as (tools, _),
        pytest.raises(CannotDecide, match="Another set has the id 50"),
    ):
        decide.adopt(tools, 2, facebook_id=50)

    assert set_number(house, 2).state == "unknown"


def test_a_refused_create_is_not_any_set_that_a_person_names(house: House) -> None:
    there = set_of_somebody(house)
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    assert house.create().status_code == 400

    assert adopt(house, there).status_code == 409

    assert house.the_set().state == "rejected"


def test_a_set_that_names_another_create_by_its_tag_is_not_adopted(house: House) -> None:
    """Facebook shows no URI of a batch's set before it was told one: its name has to do."""
    operation = {
        "method": "POST",
        "name": "a",
        "relative_url": f"act_{ACCOUNT}/campaigns",
        "body": "name=x&objective=LINK_CLICKS",
    }
    form = {"adbatch": json.dumps([operation]), "access_token": house.key}
    path = f"/v21.0/act_{ACCOUNT}/async_batch_requests"
    for name, kind in (("X", "reset"), ("Y", "commit_then_drop")):
        house.sandbox.trouble(kind, method="POST", path="/async_batch_requests$")
        assert house.client.post(path, data={**form, "name": name}).status_code == 409
    (there,) = house.sandbox.ledger()

    answer = adopt(house, there["id"], number=1)

    assert answer.status_code == 409, answer.text
    assert "is the set of 2" in answer.get_json()["detail"]


def test_a_set_without_a_name_of_ours_that_was_made_before_is_not_adopted(house: House) -> None:
    there = set_of_somebody(house)
    house.let_time_pass(7200)
    lose(house)

    answer = adopt(house, there)

    assert answer.status_code == 409, answer.text
    assert "was made before" in answer.get_json()["detail"]


def test_what_was_adopted_without_a_name_of_ours_is_looked_for_once_more(house: House) -> None:
    lose(house)
    assert adopt(house, set_of_somebody(house)).status_code == 200
    house.work()
    house.let_time_pass(3600)
    token = house.parts.keys.sign_token(intent=1, attempt=1)
    true_one = page([{"id": "50", "notification_uri": f"https://r/notifications/{token}"}])

    with facebook_shows(house.parts.tools, true_one) as (tools, _):
        assert recheck_next(tools)

    assert doubled(house) == 1


def test_what_is_on_its_way_is_not_adopted(house: House) -> None:
    """Its sender may be about to write its own id."""
    there = set_of_somebody(house)
    real = GraphClient.create_request_set
    answers: list[int] = []

    def create(*arguments: Any, **named: Any) -> Any:
        answers.append(adopt(house, there).status_code)
        return real(*arguments, **named)

    with mock.patch.object(GraphClient, "create_request_set", create):
        house.create_open()

    assert answers == [409]
    assert house.the_set().doubled_at is None
    assert str(house.the_set().facebook_id) != there


def test_what_is_sent_again_while_its_set_is_read_is_not_adopted(house: House) -> None:
    there = set_of_somebody(house)
    lose(house)
    real = GraphClient.read_set

    def read_set(*arguments: Any, **named: Any) -> Any:
        with house.parts.database.writing() as session:
            session.get_one(RequestSet, 1).attempt = 2
        return real(*arguments, **named)

    with mock.patch.object(GraphClient, "read_set", read_set):
        answer = adopt(house, there)

    assert (answer.status_code, house.the_set().facebook_id) == (409, None)


def test_adopting_counts_its_points(house: House) -> None:
    lose(house, "commit_then_drop")
    before = score(house)

    assert adopt(house, house.sandbox.ledger()[0]["id"]).status_code == 200

    assert score(house) > before


def score(house: House) -> float:
    with house.parts.database.reading() as session:
        return points.read(session, ACCOUNT).score.at(house.clock())


def test_a_throttle_met_while_adopting_is_kept_and_may_be_tried_again(house: House) -> None:
    lose(house, "commit_then_drop")
    there = house.sandbox.ledger()[0]["id"]
    house.sandbox.trouble("graph_error", code=17, method="GET", path=f"{there}$", count=10)

    assert adopt(house, there).status_code == 502

    with house.parts.database.reading() as session:
        assert waits.is_waiting(session, ACCOUNT, now=house.clock())


def test_giving_up_loses_no_hint(house: House) -> None:
    lose(house, "commit_then_drop")
    house.notify()
    assert step.apply_hints(house.parts.tools)

    assert abandon(house).status_code == 200

    house.let_time_pass(60)
    house.work()
    assert house.the_set().state == "collected"


@pytest.mark.parametrize("comes_last", [0, 1], ids=["the first", "the second"])
def test_what_was_given_up_and_sent_once_more_is_doubled_once_both_are_there(
    house: House, comes_last: int
) -> None:
    lose(house, "commit_then_drop")
    assert abandon(house).status_code == 200
    if comes_last == 0:
        house.create_open()
    else:
        lose(house, "commit_then_drop")
    there = [entry["id"] for entry in house.sandbox.ledger()]
    assert doubled(house) == 0

    for set_id in (there[1 - comes_last], there[comes_last]):
        house.notify(set_id)
        house.work()

    assert [row.state for row in house.rows(RequestSet)] == ["collected", "collected"]
    assert doubled(house) == 1


def test_what_was_given_up_and_is_not_there_makes_nothing_doubled(house: House) -> None:
    lose(house)
    assert abandon(house).status_code == 200
    house.create_open()
    house.notify()
    house.work()
    assert doubled(house) == 0
    assert post(house, "request-sets/2/abandon", {"reason": "Enough."}).status_code == 409


def test_what_was_asked_for_twice_on_purpose_is_no_repetition(house: House) -> None:
    """Two keys name two creates: the second was there before anybody gave the first one up."""
    lose(house, "commit_then_drop")
    write_hash(house, 1, b"another")
    house.create_open()
    write_hash(house, 1, set_number(house, 2).parameters_hash)
    house.let_time_pass(60)
    assert abandon(house).status_code == 200

    house.notify(house.sandbox.ledger()[0]["id"])
    house.work()

    assert [row.facebook_id is None for row in house.rows(RequestSet)] == [False, False]
    assert doubled(house) == 0


def write_hash(house: House, number: int, parameters_hash: bytes | None) -> None:
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, number).parameters_hash = parameters_hash
