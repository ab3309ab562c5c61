"""Notifications that land in the middle of something, where nobody would look for a long time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.store.models import Look, Notification
from tests.support.processes import Customer, Installation, eventually

pytestmark = pytest.mark.drill

BY_HAND = {"kind": "by_hand"}
RARELY = {
    "first_look_seconds": 600,
    "look_interval_min_seconds": 600,
    "look_interval_max_seconds": 600,
}


def start(installation: Installation, **settings: float) -> None:
    """Start a receiver that does not poll before ten minutes have passed."""
    installation.set(**{**RARELY, **settings})
    installation.start_web()
    installation.start_worker()


def test_a_notification_that_lands_while_its_set_is_read_is_not_lost(
    installation: Installation, own_customer: Customer
) -> None:
    start(installation, first_look_seconds=0)
    own_customer.expect(progress=BY_HAND)
    own_customer.sandbox.trouble(
        "hold", method="GET", account=own_customer.account, effect="before"
    )
    set_id = own_customer.create_open()
    own_customer.wait_for_call(trouble="hold")

    own_customer.sandbox.complete(set_id)
    eventually(
        lambda: [row for row in own_customer.rows(Notification) if row.applied_at],
        what="a hint taken",
    )
    own_customer.release()

    own_customer.wait_for_state()
    own_customer.assert_whole()
    readings = [one.is_completed for one in own_customer.rows(Look) if one.kind == "set"]
    assert readings == [False, True]
    assert own_customer.sets()[0].verdict == "delivered"


def test_a_set_whose_outcome_was_lost_is_found_by_its_notification(
    installation: Installation, own_customer: Customer
) -> None:
    start(installation)
    own_customer.expect(progress=BY_HAND)
    own_customer.sandbox.trouble("commit_then_drop", method="POST", account=own_customer.account)
    assert own_customer.create().status_code == 409
    assert [row.state for row in own_customer.sets()] == ["unknown"]

    own_customer.sandbox.complete(own_customer.ledger()[0]["id"])

    own_customer.wait_for_state()
    own_customer.assert_whole()
    # The id in the notification is read back first: no list has to show it.
    first, *_ = own_customer.rows(Look)
    assert (first.kind, first.why) == ("set", "notification")
    assert own_customer.sets()[0].verdict == "delivered"


def test_a_notification_that_lands_while_its_create_waits_is_joined(
    installation: Installation, own_customer: Customer
) -> None:
    start(installation)
    own_customer.expect(progress={"kind": "at_once"})
    own_customer.sandbox.trouble(
        "hold", method="POST", account=own_customer.account, effect="before"
    )
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(own_customer.create)
        eventually(
            lambda: [row for row in own_customer.rows(Notification) if row.applied_at],
            what="a hint taken",
        )
        assert [row.state for row in own_customer.sets()] == ["submitting"]
        own_customer.release()
        assert answer.result().status_code == 200

    own_customer.wait_for_state()
    own_customer.assert_whole()
    (row,) = own_customer.sets()
    assert (row.verdict, row.learned_by) == ("delivered", "notification")
    assert [one["method"] for one in own_customer.calls()] == ["POST", "GET"]
