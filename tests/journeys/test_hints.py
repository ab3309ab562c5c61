"""Notifications that land in the middle of something, where nobody would look for a long time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.store.models import Look, Notification
from tests.support.processes import Customer, Installation, eventually

BY_HAND = {"kind": "by_hand"}
RARELY = {"look_interval_min_seconds": 600, "look_interval_max_seconds": 600}


@pytest.fixture
def patient(installation: Installation, own_customer: Customer) -> Customer:
    """A customer of a receiver that polls a new set once, and then not for ten minutes."""
    installation.set(**RARELY)
    installation.start_web()
    installation.start_worker()
    return own_customer


def test_a_notification_that_lands_while_its_set_is_read_is_not_lost(patient: Customer) -> None:
    patient.expect(progress=BY_HAND)
    patient.sandbox.trouble("hold", method="GET", account=patient.account, effect="before")
    set_id = patient.create_open()
    patient.wait_for_call(trouble="hold")

    patient.sandbox.complete(set_id)
    eventually(
        lambda: [row for row in patient.rows(Notification) if row.applied_at], what="a hint taken"
    )
    patient.release()

    patient.wait_for_state()
    patient.assert_whole()
    readings = [one.is_completed for one in patient.rows(Look) if one.kind == "set"]
    assert readings == [False, True]
    assert patient.sets()[0].verdict == "delivered"


def test_a_set_whose_outcome_was_lost_is_found_by_its_notification(patient: Customer) -> None:
    patient.expect(progress=BY_HAND)
    patient.sandbox.trouble("commit_then_drop", method="POST", account=patient.account)
    assert patient.create().status_code == 409
    assert [row.state for row in patient.sets()] == ["unknown"]

    patient.sandbox.complete(patient.ledger()[0]["id"])

    patient.wait_for_state()
    patient.assert_whole()
    edge, *_ = patient.rows(Look)
    assert (edge.kind, edge.why) == ("edge", "notification")
    assert patient.sets()[0].verdict == "delivered"


@pytest.mark.parametrize("effect", ["before", "after"])
def test_a_notification_that_lands_while_its_create_waits_is_joined(
    customer: Customer, effect: str
) -> None:
    customer.expect(
        progress={"kind": "at_once"},
        notification={"kind": "before_answer" if effect == "after" else "deliver"},
    )
    customer.sandbox.trouble("hold", method="POST", account=customer.account, effect=effect)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(customer.create)
        customer.wait_for_call(trouble="hold")
        if effect == "before":
            eventually(
                lambda: [row for row in customer.rows(Notification) if row.applied_at],
                what="a hint taken",
            )
            assert [row.state for row in customer.sets()] == ["submitting"]
        customer.release()
        assert answer.result().status_code == 200

    customer.wait_for_state()
    customer.assert_whole()
    (row,) = customer.sets()
    assert (row.verdict, row.learned_by) == ("delivered", "notification")
    assert [one["method"] for one in customer.calls()] == ["POST", "GET", "GET"]
