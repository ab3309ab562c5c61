"""What was canceled in a set that sends failures again may be sent again from where it failed."""

from __future__ import annotations

from receiver.store.models import Request, Resubmission
from tests.support.acting import act, collected, set_number
from tests.support.house import House, ad


def send_again_by_hand(house: House, *names: str) -> None:
    """Let failures be sent again in a set whose requests wait for the test."""
    collected(house, [ad("one"), *(ad(name) for name in names)])
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    assert act(house, "resubmit").status_code == 200


def test_failures_of_a_set_that_was_canceled_may_be_sent_again(house: House) -> None:
    send_again_by_hand(house, "fail a", "fail b")
    assert act(house, "cancel", 2).status_code == 200
    house.let_time_pass(3600)
    house.work()
    assert (set_number(house, 2).state, set_number(house, 2).canceled_count) == ("collected", 2)

    assert act(house, "resubmit").status_code == 200

    live = [(row.request_set_id, row.is_live) for row in house.rows(Resubmission)]
    assert live == [(2, False), (2, False), (3, True), (3, True)]


def test_only_what_was_canceled_is_let_go_of(house: House) -> None:
    send_again_by_hand(house, "fail a", "fail b")
    (first, _) = house.sandbox.ledger()[1]["requests"]
    canceled = house.client.delete(f"/{first['id']}", query_string={"access_token": house.key})
    assert canceled.status_code == 200, canceled.text
    house.sandbox.complete(house.sandbox.ledger()[1]["id"])
    house.let_time_pass(3600)
    house.work()
    assert set_number(house, 2).state == "collected"

    assert act(house, "resubmit").status_code == 200

    child = set_number(house, 3)
    of_parent = [row for row in house.rows(Request) if row.request_set_id == 1]
    held = {row.request_id: row.request_set_id for row in house.rows(Resubmission) if row.is_live}
    failed = [row.id for row in of_parent if row.error_code is not None]
    assert child.spec_count == 1
    assert sorted(held) == sorted(failed)
    assert sorted(held.values()) == [2, 3]
