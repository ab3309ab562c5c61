"""Actions by the admin API: each does what it says, is kept, and is refused to who may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from receiver.lifecycle import bulk, choosing
from receiver.store import points, waits
from receiver.store.models import (
    ActionPlanItem,
    AuditEntry,
    Delivery,
    Request,
    RequestSet,
    Resubmission,
)
from receiver.store.waits import Wait
from tests.support.house import ACCOUNT, House, ad, add_account

HOOK = "http://127.0.0.1:9/hook"
ACTIONS = ["look", "collect", "cancel", "repoint", "resubmit", "replay"]


def post(house: House, path: str, json: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {house.key}"}
    return house.client.post(f"/admin/api/{path}", json=json, headers=headers)


def act(house: House, action: str, number: int = 1) -> TestResponse:
    return post(house, f"request-sets/{number}/actions/{action}")


def collected(house: House, specs: list[Any] | None = None, **parameters: Any) -> str:
    set_id = house.create_open(specs, **parameters)
    house.notify(set_id)
    house.work()
    return set_id


def audit(house: House) -> list[tuple[str, str]]:
    return [(entry.action, entry.outcome) for entry in house.rows(AuditEntry)]


def test_a_look_now_makes_a_set_due_at_once(house: House) -> None:
    house.create_open()
    assert house.work() == 0

    assert act(house, "look").status_code == 200

    assert house.work() == 1
    assert audit(house) == [("look", "done")]


def test_a_set_that_is_collected_again_stays_complete_and_counts_once(house: House) -> None:
    set_id = collected(house)
    collected_at = house.the_set().collected_at
    house.clock.move(86_400 * 3)

    answer = act(house, "collect")

    assert answer.status_code == 200, answer.text
    # Whoever asks meanwhile is told what they were told before, and nothing is missing.
    assert house.get(f"/{set_id}").get_json()["is_completed"] is True
    integrity = house.get("/admin/api/integrity").get_json()
    assert (integrity["missing"], integrity["late"]) == (0, 0)
    assert house.get("/admin/api/request-sets", late="true").get_json()["data"] == []
    house.work()
    assert (house.the_set().state, house.the_set().collected_at) == ("collected", collected_at)
    sums = house.get("/admin/api/outcomes", interval="day").get_json()["data"]
    assert sum(day["collected"] for day in sums) == 1


def test_a_set_is_canceled_at_facebook(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open()

    assert act(house, "cancel").status_code == 200

    house.clock.move(60)
    assert house.get(f"/{set_id}", fields="canceled_count").get_json()["canceled_count"] == 2


def test_a_pending_set_is_pointed_to_where_we_are_now(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    before = house.sandbox.ledger()[0]["notification_uri"]
    object.__setattr__(house.parts.tools, "public_url", "https://moved.example")

    assert act(house, "repoint").status_code == 200

    after = house.sandbox.ledger()[0]["notification_uri"]
    assert before != after
    assert after.startswith("https://moved.example/notifications/")
    assert "notifications/" not in house.get("/admin/api/audit").text


def test_only_failed_requests_are_sent_again_and_know_where_they_come_from(house: House) -> None:
    collected(house, [ad("one"), ad("fail b"), ad("three"), ad("fail a", status="ACTIVE")])

    answer = act(house, "resubmit")

    assert answer.status_code == 200, answer.text
    assert answer.get_json()["request_set_id"] == "2"
    child = house.rows(RequestSet)[1]
    assert (child.parent_id, child.spec_count, child.state) == (1, 2, "open")
    sent = house.sandbox.ledger()[1]["requests"]
    failed = [row for row in house.rows(Request) if row.error_code is not None]
    lineage = [(row.spec_index, row.request_id) for row in house.rows(Resubmission)]
    assert lineage == [(index, row.id) for index, row in enumerate(failed)]
    assert len(sent) == 2
    shown = house.get("/admin/api/request-sets/1").get_json()
    assert shown["children"] == ["2"]
    listed = house.get("/admin/api/request-sets", parent=1).get_json()["data"]
    assert [row["id"] for row in listed] == ["2"]


def test_a_failed_request_is_sent_again_once_at_a_time(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    assert act(house, "resubmit").status_code == 200

    answer = act(house, "resubmit")

    assert answer.status_code == 409
    assert "being sent again already" in answer.get_json()["detail"]
    assert len(house.rows(RequestSet)) == 2
    # What fails again belongs to the new set, and is sent again from there.
    house.notify()
    house.work()
    assert act(house, "resubmit", 2).status_code == 200
    assert act(house, "resubmit", 1).status_code == 409
    assert audit(house)[1] == ("resubmit", "refused")


def test_what_facebook_refused_may_be_sent_again_later(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    path = f"act_{ACCOUNT}/asyncadrequestsets"
    house.sandbox.trouble("graph_error", code=100, method="POST", path=path)

    refused = act(house, "resubmit")
    again = act(house, "resubmit")

    assert (refused.status_code, again.status_code) == (409, 200), again.text
    assert [row.is_live for row in house.rows(Resubmission)] == [False, True]


def test_failures_that_may_have_made_an_ad_are_left_out(house: House) -> None:
    collected(house, [ad("one"), ad("fail a"), ad("fail b")])
    with house.parts.database.writing() as session:
        first = session.query(Request).filter(Request.error_code.is_not(None)).first()
        assert first is not None
        first.error_code = 2

    answer = act(house, "resubmit")

    assert "1 may have been made all the same" in answer.get_json()["note"]
    assert house.rows(RequestSet)[1].spec_count == 1


def with_a_doubtful_failure(house: House, names: list[str], doubtful: str) -> Request:
    """A collected set one of whose failures came with an error that does not say what became."""
    collected(house, [ad(name) for name in names])
    with house.parts.database.writing() as session:
        for row in session.query(Request):
            if f'"{doubtful}"'.encode() in (row.input or b""):
                row.error_code = 2
                return row
    raise AssertionError(names)


def test_a_doubtful_failure_is_sent_again_once_its_ad_set_was_read(house: House) -> None:
    with_a_doubtful_failure(house, ["one", "fail a"], "fail a")
    assert act(house, "resubmit").status_code == 409
    house.let_time_pass(house.parts.settings.settle_seconds + 1)

    answer = act(house, "resubmit")

    assert answer.status_code == 200, answer.text
    assert house.rows(RequestSet)[1].spec_count == 1


def test_an_ad_of_its_name_keeps_a_doubtful_failure_out(house: House) -> None:
    # The one that failed may have made the ad that is there: nobody can tell.
    with_a_doubtful_failure(house, ["fail a", "fail b"], "fail b")
    house.create_open([ad("other")])
    made = house.sandbox.ledger()[-1]["requests"][0]["result"]["id"]
    renamed = house.client.post(f"/{made}", data={"name": "fail b", "access_token": house.key})
    assert renamed.status_code == 200, renamed.text
    house.let_time_pass(house.parts.settings.settle_seconds + 1)

    kept_out = act(house, "resubmit")
    house.client.post(f"/{made}", data={"name": "other", "access_token": house.key})
    sent = act(house, "resubmit")

    assert "1 may have been made all the same" in kept_out.get_json()["note"]
    assert house.rows(RequestSet)[2].spec_count == 1
    assert "1 requests of set 1 are sent again as set 4" in sent.get_json()["note"]


def test_an_ad_set_that_cannot_be_read_proves_nothing(house: House) -> None:
    row = with_a_doubtful_failure(house, ["one", "fail a"], "fail a")
    house.let_time_pass(house.parts.settings.settle_seconds + 1)
    house.sandbox.trouble("graph_error", code=100, method="GET", path=f"{row.scope_object_id}/ads")

    assert act(house, "resubmit").status_code == 409


@pytest.mark.parametrize("action", ["collect", "resubmit", "replay"])
def test_what_cannot_be_done_to_a_set_is_refused_in_words(house: House, action: str) -> None:
    house.create_open()

    answer = act(house, action)

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert "Set 1" in answer.get_json()["detail"] or "set 1" in answer.get_json()["detail"]
    assert audit(house) == [(action, "refused")]
    assert house.the_set().state == "open"


@pytest.mark.parametrize("action", ["look", "cancel", "repoint"])
def test_a_collected_set_has_nothing_left_to_change(house: House, action: str) -> None:
    collected(house)

    assert act(house, action).status_code == 409


def test_a_caller_is_told_again_under_the_same_message_id(house: House) -> None:
    collected(house, notification_uri=HOOK, notification_mode="ON_COMPLETE")
    house.set_private_addresses(allowed=True)
    while house.deliver():
        house.clock.move(86_400)
    before = house.rows(Delivery)[0]

    assert act(house, "replay").status_code == 200
    assert act(house, "replay").status_code == 409

    assert house.deliver() == 1
    after = house.rows(Delivery)[0]
    assert (after.message_id, after.attempts) == (before.message_id, before.attempts + 1)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_acts_on_what_is_not_theirs(house: House, action: str) -> None:
    collected(house)
    mine = house.key
    house.key = add_account(house.parts, 5)
    assert act(house, action).status_code == 404
    house.key = mine
    house.make_key_read_only()
    assert act(house, action).status_code == 403
    assert audit(house) == []


def test_a_throttled_account_says_when_to_come_back(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    with house.parts.database.writing() as session:
        points.change(session, ACCOUNT, lambda ledger: ledger.score.add(9000, now=house.clock()))

    answer = act(house, "cancel")

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    # Nothing was begun: an account that waits long leaves no entry for every time somebody asks.
    assert audit(house) == []


@pytest.mark.parametrize(("code", "status"), [(100, 409), (2, 502), (17, 502)])
def test_what_facebook_does_not_do_is_said_and_kept(house: House, code: int, status: int) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open()
    house.sandbox.trouble("graph_error", code=code, method="DELETE", path=set_id)

    answer = act(house, "cancel")

    assert answer.status_code == status, answer.text
    assert audit(house) == [("cancel", "refused" if status == 409 else "failed")]


def test_an_account_that_waits_is_asked_again(house: House) -> None:
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(house.clock() + timedelta(hours=1)))

    assert post(house, f"accounts/act_{ACCOUNT}/retry").status_code == 200

    (shown,) = house.get("/admin/api/accounts").get_json()["data"]
    assert shown["health"] == "ok"
    assert post(house, "accounts/5/retry").status_code == 404
    assert post(house, "accounts/x/retry").status_code == 404


def test_a_set_with_an_outcome_is_neither_adopted_nor_given_up(house: House) -> None:
    house.create_open()

    adopted = post(house, "request-sets/1/adopt", {"facebook_id": "7"})
    abandoned = post(house, "request-sets/1/abandon", {"reason": "Enough."})

    assert (adopted.status_code, abandoned.status_code) == (409, 409)
    assert audit(house) == [("adopt", "refused"), ("abandon", "refused")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "json", "word"),
    [
        ("request-sets/1/adopt", {}, "facebook_id"),
        ("request-sets/1/adopt", {"facebook_id": "x"}, "facebook_id"),
        ("request-sets/1/abandon", {"reason": ""}, "reason"),
        ("request-sets/1/abandon", {"reason": "a\x00b"}, "reason"),
        ("plans", {"action": "destroy", "filters": {}}, "action"),
        ("plans", {"action": "look", "filters": {}, "cursor": "x"}, "cursor"),
        ("plans", {"action": "look", "filters": {"colour": "red"}}, "filters.colour"),
        ("plans", {"action": "look", "filters": {"colour": "red"}}, "facebook_id"),
        ("plans", {"action": "look", "filters": {"state": ["happy"]}}, "filters.state"),
        ("plans", {"action": "look", "filters": {}, "\ud800": 1}, "unicode"),
        ("plans", [], ""),
        ("plans", None, ""),
    ],
    ids=str,
)
def test_a_body_that_cannot_be_meant_is_refused(
    house: House, path: str, json: Any, word: str
) -> None:
    house.create_open()

    answer = post(house, path, json)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert word in answer.get_json()["detail"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("body", ["[" * 60_000, '{"action": NaN}', "{"], ids=["deep", "nan", "cut"])
def test_a_body_that_is_no_json_is_refused_in_words(house: House, body: str) -> None:
    headers = {"Authorization": f"Bearer {house.key}", "Content-Type": "application/json"}

    answer = house.client.post("/admin/api/plans", data=body, headers=headers)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert "no JSON" in answer.get_json()["detail"]


def plan(house: House, action: str, **filters: Any) -> dict[str, Any]:
    answer = post(house, "plans", {"action": action, "filters": filters})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def do_all(house: House) -> int:
    done = 0
    while claim := bulk.claim_next(house.parts.tools):
        bulk.act(house.parts.tools, claim)
        done += 1
    return done


def test_a_plan_says_what_it_will_touch_and_does_it_once_confirmed(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    for _ in range(3):
        house.create_open()
    collected_id = house.create_open([ad("four")], name="Other")
    assert collected_id

    made = plan(house, "cancel", name="set")
    assert (made["sets"], made["points"], made["next_cursor"]) == (3, 9, None)
    assert made["by_account"] == {f"act_{ACCOUNT}": 3}
    assert do_all(house) == 0

    confirmed = post(house, f"plans/{made['id']}/confirm").get_json()
    again = post(house, f"plans/{made['id']}/confirm")

    assert confirmed["counts"] == {"waiting": 3}
    assert again.status_code == 409
    assert do_all(house) == 3
    shown = house.get(f"/admin/api/plans/{made['id']}").get_json()
    assert shown["counts"] == {"done": 3}
    assert audit(house) == [("confirm", "done"), *[("cancel", "done")] * 3]
    mine = f"key key of {ACCOUNT}"
    assert [entry.actor for entry in house.rows(AuditEntry)] == [
        mine,
        *[f"{mine}, plan {made['id']}"] * 3,
    ]


def test_a_plan_leaves_out_what_the_action_does_not_fit(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    collected(house)
    house.create_open()

    made = plan(house, "resubmit")

    assert (made["sets"], made["note"]) == (1, None)


def test_filters_that_the_action_does_not_fit_choose_nothing_and_say_why(house: House) -> None:
    collected(house)

    made = plan(house, "cancel", state=["collected"])

    assert (made["sets"], made["next_cursor"]) == (0, None)
    assert made["note"].startswith("'Cancel' is for sets that are open")


def test_what_one_plan_cannot_take_is_planned_from_its_cursor(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"Set {number}")
    body = {"action": "look", "filters": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "PLANNED_MOST", 2)
        first = post(house, "plans", body).get_json()
        rest = post(house, "plans", {**body, "cursor": first["next_cursor"]}).get_json()

    assert (first["sets"], rest["sets"], rest["next_cursor"]) == (2, 1, None)
    shown = [house.get(f"/admin/api/plans/{one['id']}").get_json() for one in (first, rest)]
    numbers = [item["request_set_id"] for one in shown for item in one["items"]]
    assert sorted(numbers) == ["1", "2", "3"]


def test_a_plan_is_stopped_by_its_maker(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    made = plan(house, "cancel")
    path = f"plans/{made['id']}/stop"
    too_soon = post(house, path)
    post(house, f"plans/{made['id']}/confirm")

    stopped = post(house, path)

    assert (too_soon.status_code, stopped.status_code) == (409, 200)
    assert stopped.get_json()["counts"] == {"refused": 1}
    assert stopped.get_json()["stopped_at"] is not None
    assert post(house, path).status_code == 409
    assert post(house, "plans/aaaaaaaaaaaa/stop").status_code == 404
    assert do_all(house) == 0
    assert audit(house) == [("confirm", "done"), ("stop", "done")]


def test_a_set_that_changed_since_the_plan_is_refused_alone(house: House) -> None:
    house.create_open()
    house.create_open()
    made = plan(house, "look")
    house.notify(house.sandbox.ledger()[0]["id"])
    house.work()
    post(house, f"plans/{made['id']}/confirm")

    do_all(house)

    shown = house.get(f"/admin/api/plans/{made['id']}").get_json()
    assert shown["counts"] == {"done": 1, "refused": 1}
    assert shown["items"][0]["request_set_id"] == "1"
    assert "nothing left to look at" in shown["items"][0]["note"]


def test_a_plan_out_of_date_is_not_confirmed(house: House) -> None:
    house.create_open()
    made = plan(house, "look")
    house.clock.move(16 * 60)

    answer = post(house, f"plans/{made['id']}/confirm")

    assert answer.status_code == 409
    assert "out of date" in answer.get_json()["detail"]
    assert do_all(house) == 0


def test_a_plan_is_its_makers(house: House) -> None:
    house.create_open()
    made = plan(house, "look")
    house.key = add_account(house.parts, 5)

    assert house.get(f"/admin/api/plans/{made['id']}").status_code == 404
    assert post(house, f"plans/{made['id']}/confirm").status_code == 404
    assert plan(house, "look")["sets"] == 0


def test_what_an_account_cannot_pay_waits_until_it_can(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    made = plan(house, "cancel")
    post(house, f"plans/{made['id']}/confirm")
    with house.parts.database.writing() as session:
        points.change(session, ACCOUNT, lambda ledger: ledger.score.add(9000, now=house.clock()))

    assert do_all(house) == 1
    assert house.rows(ActionPlanItem)[0].outcome is None
    house.let_time_pass(400)
    assert do_all(house) == 1

    assert house.rows(ActionPlanItem)[0].outcome == "done"


def test_a_worker_that_dies_over_a_resubmission_sends_nothing_twice(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    made = plan(house, "resubmit")
    post(house, f"plans/{made['id']}/confirm")
    claim = bulk.claim_next(house.parts.tools)
    assert claim is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_finish", lambda *_, **__: None)
        bulk.act(house.parts.tools, claim)
    assert bulk.claim_next(house.parts.tools) is None
    house.clock.move(house.parts.settings.lease_seconds + 1)

    assert do_all(house) == 1

    assert len(house.sandbox.ledger()) == 2
    (item,) = house.rows(ActionPlanItem)
    assert item.outcome == "done"
