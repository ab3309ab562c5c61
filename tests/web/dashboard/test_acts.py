"""The dashboard's buttons do what the API's actions do, and say what was done."""

from __future__ import annotations

import html
import re

import pytest

from receiver.lifecycle import bulk, choosing
from receiver.store.models import ActionPlanItem, AuditEntry, RequestSet
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
    assert "Plan the rest" not in page
    assert "name=spring" in page
    assert confirmed.status_code == 302
    claim = bulk.claim_next(house.parts.tools)
    assert claim is not None
    bulk.act(house.parts.tools, claim)
    assert "done" in somebody.get(path).text
    kept = [(entry.action, entry.request_set_id) for entry in house.rows(AuditEntry)]
    assert kept == [("confirm", None), ("cancel", 2)]
    assert somebody.post(f"{path}/confirm").status_code == 409
    assert somebody.post(f"{path}/stop").status_code == 409


def test_a_plan_under_way_is_stopped_by_a_button(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    somebody = signed_in(house)
    planned = somebody.post("/plans?state=open", action="cancel", form_on="/request-sets")
    path = planned.location.removeprefix("/admin")
    assert "Stop: leave" not in somebody.get(path).text
    somebody.post(f"{path}/confirm", form_on=path)
    assert "Stop: leave" in somebody.get(path).text

    stopped = somebody.post(f"{path}/stop", form_on=path)

    assert stopped.location == planned.location
    page = somebody.get(path).text
    assert "The plan was stopped." in page
    assert "Stop: leave" not in page
    assert bulk.claim_next(house.parts.tools) is None


def test_a_plan_that_is_not_there_is_not_found(house: House) -> None:
    somebody = signed_in(house)

    assert somebody.post("/plans/aaaaaaaaaaaa/confirm").status_code == 404
    assert somebody.post("/plans/aaaaaaaaaaaa/stop").status_code == 404


def test_what_one_plan_cannot_take_is_planned_by_a_button(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"Spring {number}")
    house.create_open(name="Keep")
    somebody = signed_in(house)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "PLANNED_MOST", 2)
        first = somebody.post("/plans?name=spring", action="look", form_on="/request-sets")
        path = first.location.removeprefix("/admin")
        page = html.unescape(somebody.get(path).text)
        (url,) = re.findall(r'action="/admin(/plans\?name=spring)"', page)
        (cursor,) = re.findall(r'name="cursor" value="([^"]+)"', page)
        rest = somebody.post(url, action="look", cursor=cursor, form_on=path)

    assert "Plan the rest" in page
    last = somebody.get(rest.location.removeprefix("/admin")).text
    assert "touches 1 set" in last
    assert "Plan the rest" not in last
    assert sorted(item.request_set_id for item in house.rows(ActionPlanItem)) == [1, 2, 3]


def test_a_plan_needs_an_action_and_filters_that_can_be_meant(house: House) -> None:
    somebody = signed_in(house)

    assert somebody.post("/plans", action="").status_code == 400
    assert somebody.post("/plans?state=happy", action="look").status_code == 400
    empty = somebody.post("/plans", action="look")
    assert "nothing to confirm" in somebody.get(empty.location.removeprefix("/admin")).text


def test_a_link_to_a_plan_cannot_lead_its_button_elsewhere(house: House) -> None:
    somebody = signed_in(house)
    planned = somebody.post("/plans", action="look", form_on="/request-sets")
    link = f"{planned.location.removeprefix('/admin')}?rest=x&_scheme=javascript&_external=1"

    page = somebody.get(link).text

    assert 'action="/admin/plans?_scheme=javascript' in page
    assert 'action="javascript' not in page


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
