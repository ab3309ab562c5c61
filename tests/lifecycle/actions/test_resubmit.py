"""What is sent again is held by one live set, whatever comes to light later; and what passes."""

from __future__ import annotations

from typing import Any
from unittest import mock

from receiver.lifecycle.actions import unmade
from receiver.lifecycle.recheck import recheck_next
from receiver.store.models import Request, RequestSet, Resubmission
from tests.support.acting import (
    CREATE,
    act,
    adopt,
    collected,
    doubled,
    doubtful_failure,
    set_number,
)
from tests.support.facebook import facebook_shows, page
from tests.support.house import House, ad


def live(house: House) -> list[tuple[int, bool]]:
    return [(row.request_set_id, row.is_live) for row in house.rows(Resubmission)]


def let_a_child_be_made_and_refused(house: House) -> None:
    """Facebook makes the set that sends the failure again, and says no."""
    collected(house, [ad("one"), ad("fail")])
    house.sandbox.trouble("graph_error", code=100, effect="before", **CREATE)
    assert act(house, "resubmit").status_code == 409
    assert set_number(house, 2).state == "rejected"


def test_a_refused_child_that_facebook_notifies_of_holds_its_requests_again(house: House) -> None:
    let_a_child_be_made_and_refused(house)
    house.notify()
    house.work()
    assert set_number(house, 2).state == "collected"

    assert act(house, "resubmit").status_code == 409

    assert live(house) == [(2, True)]
    assert doubled(house) == 0


def test_a_refused_child_that_is_adopted_holds_its_requests_again(house: House) -> None:
    let_a_child_be_made_and_refused(house)
    there = house.sandbox.ledger()[1]["id"]

    assert adopt(house, there, number=2).status_code == 200

    assert act(house, "resubmit").status_code == 409
    assert live(house) == [(2, True)]


def test_a_refused_child_that_shows_up_after_the_next_one_is_doubled(house: House) -> None:
    let_a_child_be_made_and_refused(house)
    first = house.sandbox.ledger()[1]["id"]
    assert act(house, "resubmit").status_code == 200

    house.notify(first)
    house.work()

    assert live(house) == [(2, False), (3, True)]
    assert set_number(house, 2).doubled_at is not None
    assert doubled(house) == 1


def lose_a_child_and_let_its_second_attempt_be_refused(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    house.sandbox.trouble("reset", **CREATE)
    assert act(house, "resubmit").status_code == 200
    house.let_time_pass(1)
    house.create_open(name="witness")
    house.sandbox.trouble("graph_error", code=100, **CREATE)
    for _ in range(5):
        house.let_time_pass(450)
        house.work()
    child = set_number(house, 2)
    assert (child.state, child.attempt) == ("rejected", 2)


def let_its_first_attempt_show_up(house: House) -> None:
    house.let_time_pass(3600)
    token = house.parts.keys.sign_token(intent=2, attempt=1)
    late = page([{"id": "50", "notification_uri": f"https://r/notifications/{token}"}])
    with facebook_shows(house.parts.tools, late) as (tools, _):
        assert recheck_next(tools)
    assert set_number(house, 2).facebook_id == 50


def test_a_child_whose_first_attempt_shows_up_holds_its_requests_again(house: House) -> None:
    lose_a_child_and_let_its_second_attempt_be_refused(house)
    let_its_first_attempt_show_up(house)

    assert act(house, "resubmit").status_code == 409


def test_a_child_whose_first_attempt_shows_up_after_the_next_child_is_doubled(
    house: House,
) -> None:
    lose_a_child_and_let_its_second_attempt_be_refused(house)
    assert act(house, "resubmit").status_code == 200
    let_its_first_attempt_show_up(house)

    assert doubled(house) == 1


def while_ads_are_read(house: House, change: Any) -> Any:
    """Let something change in SQL after it was decided what may be sent again."""
    real = unmade.find

    def find(*arguments: Any, **named: Any) -> set[int]:
        found = real(*arguments, **named)
        with house.parts.database.writing() as session:
            change(session)
        return found

    return mock.patch.object(unmade, "find", find)


def test_a_success_that_comes_to_light_meanwhile_stops_a_resubmission(house: House) -> None:
    failed = doubtful_failure(house)
    house.let_time_pass(house.parts.settings.settle_seconds + 1)

    def make(session: Any) -> None:
        session.get_one(Request, failed.id).created_object_id = 4711

    with while_ads_are_read(house, make):
        answer = act(house, "resubmit")

    assert answer.status_code == 409, answer.text
    assert "did not fail after all" in answer.get_json()["detail"]
    assert len(house.rows(RequestSet)) == 1


def test_a_set_that_is_collected_again_meanwhile_sends_nothing_again(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])

    def collect_again(session: Any) -> None:
        session.get_one(RequestSet, 1).state = "completed"

    with while_ads_are_read(house, collect_again):
        answer = act(house, "resubmit")

    assert answer.status_code == 409, answer.text
    assert "Set 1 is completed meanwhile" in answer.get_json()["detail"]
    assert len(house.rows(RequestSet)) == 1


def test_a_resubmission_that_facebook_throttles_may_be_tried_again(house: House) -> None:
    collected(house, [ad("one"), ad("fail")])
    house.sandbox.trouble("graph_error", code=17, **CREATE)

    # 409 would say that it never can be; 502 is tried again, by a plan too.
    assert act(house, "resubmit").status_code == 502

    house.let_time_pass(400)
    assert act(house, "resubmit").status_code == 200
    assert live(house) == [(2, False), (3, True)]


def test_a_doubtful_failure_that_was_sent_again_is_said_to_be(house: House) -> None:
    doubtful_failure(house)
    house.let_time_pass(house.parts.settings.settle_seconds + 1)
    assert act(house, "resubmit").status_code == 200

    detail = act(house, "resubmit").get_json()["detail"]

    assert "1 are being sent again already" in detail
    assert "may have been made" not in detail
