"""What acting on a set or an account answers while Facebook is slow, or asked to wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from receiver.store import waits
from receiver.store.models import Account
from receiver.store.waits import FOREVER, Wait
from tests.support.house import ACCOUNT, House, add_account


def post(house: House, path: str, json: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {house.key}"}
    return house.client.post(f"/admin/api/{path}", json=json, headers=headers)


def let_wait(house: House, wanted: Wait, *, account_id: int = ACCOUNT) -> None:
    with house.parts.database.writing() as session:
        waits.wait(session, account_id, wanted)


def test_an_action_on_an_account_that_waits_says_when_to_come_back(house: House) -> None:
    house.create_open()
    let_wait(house, Wait(house.clock() + timedelta(hours=1)))

    answer = post(house, "request-sets/1/actions/cancel")

    assert answer.status_code == 429, answer.text
    assert answer.headers["Retry-After"] == "3600"


def test_an_action_on_a_parked_account_says_what_a_person_has_to_do(house: House) -> None:
    house.create_open()
    let_wait(house, Wait(FOREVER, parked_reason="The account is disabled."))

    answer = post(house, "request-sets/1/actions/repoint")

    assert answer.status_code == 409
    assert "receiver account resume" in answer.get_json()["detail"]


def test_what_asks_facebook_nothing_waits_for_no_slot(house: House) -> None:
    house.notify(house.create_open())
    house.work()
    house.sandbox.trouble("commit_then_drop", method="POST", path="/asyncadrequestsets$")
    assert house.create().status_code == 409
    house.let_time_pass(1)
    house.take_all_slots()

    assert post(house, "request-sets/1/actions/collect").status_code == 200
    assert post(house, "request-sets/1/actions/look").status_code == 200
    assert post(house, "request-sets/1/actions/replay").status_code == 409
    assert post(house, "request-sets/2/abandon", {"reason": "Enough."}).status_code == 200


@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("request-sets/1/actions/cancel", None),
        ("request-sets/1/actions/repoint", None),
        ("request-sets/1/actions/resubmit", None),
        ("request-sets/1/adopt", {"facebook_id": "7"}),
    ],
)
def test_what_asks_facebook_waits_for_a_slot(house: House, path: str, json: Any) -> None:
    house.create_open()
    house.take_all_slots()

    assert post(house, path, json).status_code == 503


def test_retrying_an_account_leaves_those_of_others_waiting(house: House) -> None:
    add_account(house.parts, 5)
    with house.parts.database.writing() as session:
        mine = session.get_one(Account, ACCOUNT)
        session.get_one(Account, 5).credential_id = mine.credential_id
    let_wait(house, Wait(house.clock() + timedelta(hours=1), is_of_app=True), account_id=5)

    answer = post(house, f"accounts/{ACCOUNT}/retry")

    assert answer.status_code == 200
    assert "not yours" in answer.get_json()["note"]
    with house.parts.database.reading() as session:
        assert waits.is_waiting(session, 5, now=house.clock())


def test_the_audit_log_shows_with_what_and_how_an_action_ended(house: House) -> None:
    house.create_open()
    post(house, "request-sets/1/abandon", {"reason": "The campaign is over."})

    (entry,) = house.get("/admin/api/audit").get_json()["data"]

    assert (entry["detail"], entry["outcome"]) == ("The campaign is over.", "refused")
    assert "its outcome is known" in entry["note"]
