"""The dashboard's buttons do what the API's actions do, and say what was done."""

from __future__ import annotations

from receiver.lifecycle import bulk
from receiver.store.models import AuditEntry, RequestSet
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House, ad


def test_failures_are_sent_again_by_a_button(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")]))
    house.work()
    somebody = signed_in(house)

    done = somebody.post("/request-sets/1/actions/resubmit", form_on="/request-sets/1")
    shown = somebody.get(done.location.removeprefix("/admin"))

    assert done.location == "/admin/request-sets/2"
    assert "are sent again as set 2" in shown.text
    assert "Sends again what failed of" in shown.text


def test_what_cannot_be_done_is_said(house: House) -> None:
    house.notify(house.create_open())
    house.work()

    answer = signed_in(house).post("/request-sets/1/actions/cancel")

    assert answer.status_code == 409
    assert "only an open set can be canceled" in answer.text


def test_an_action_that_nobody_knows_is_not_found(house: House) -> None:
    house.create_open()

    assert signed_in(house).post("/request-sets/1/actions/explode").status_code == 404


def test_a_plan_is_made_from_the_lists_filters_and_confirmed(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open(name="Keep")
    house.create_open(name="Spring sale")
    somebody = signed_in(house)

    planned = somebody.post("/plans?name=spring", action="cancel", form_on="/request-sets")
    path = planned.location.removeprefix("/admin")
    page = somebody.get(path).text
    confirmed = somebody.post(f"{path}/confirm", form_on=path)

    assert "touches 1 set, costs 3 points" in page
    assert "name=spring" in page
    assert confirmed.status_code == 302
    claim = bulk.claim_next(house.parts.tools)
    assert claim is not None
    bulk.act(house.parts.tools, claim)
    assert "done" in somebody.get(path).text
    assert [entry.request_set_id for entry in house.rows(AuditEntry)] == [2]
    assert somebody.post(f"{path}/confirm").status_code == 409


def test_a_plan_needs_an_action_and_filters_that_can_be_meant(house: House) -> None:
    somebody = signed_in(house)

    assert somebody.post("/plans", action="").status_code == 400
    assert somebody.post("/plans?state=happy", action="look").status_code == 400
    empty = somebody.post("/plans", action="look")
    assert "nothing to confirm" in somebody.get(empty.location.removeprefix("/admin")).text


def test_a_stuck_set_is_given_up_or_adopted(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        row = session.get_one(RequestSet, 1)
        row.state, row.facebook_id = "stuck", None
    somebody = signed_in(house)
    assert "Give up" in somebody.get("/request-sets/1").text

    wrong = somebody.post("/request-sets/1/adopt", facebook_id="12")
    unreasoned = somebody.post("/request-sets/1/abandon", reason="")
    given_up = somebody.post("/request-sets/1/abandon", reason="Nobody needs it.")

    assert (wrong.status_code, unreasoned.status_code) == (409, 400)
    assert given_up.location == "/admin/request-sets/1"
    assert house.the_set().state == "rejected"
    assert "Nobody needs it." in somebody.get("/audit").text


def test_an_account_is_asked_again_by_a_button(house: House) -> None:
    somebody = signed_in(house)

    assert somebody.post(f"/accounts/{ACCOUNT}/retry").location == "/admin/accounts"
    assert somebody.post("/accounts/5/retry").status_code == 404
