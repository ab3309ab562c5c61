"""Creates whose outcome got lost: nothing is sent again, and what exists is found."""

from __future__ import annotations

import pytest

from receiver.store.models import Look
from tests.support.processes import Customer, Installation, eventually

pytestmark = pytest.mark.drill


def assert_told_not_to_repeat(customer: Customer) -> None:
    answer = customer.create()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["is_transient"]) == (409, 409, False)
    assert "Do not send it again" in error["message"]


def edge_looks(customer: Customer) -> list[Look]:
    return [one for one in customer.rows(Look) if one.kind == "edge"]


def posts(customer: Customer) -> int:
    return len([one for one in customer.calls() if one["method"] == "POST"])


def test_a_set_whose_outcome_was_lost_is_found_by_polling(customer: Customer) -> None:
    customer.expect(progress={"kind": "at_once"}, notification={"kind": "never"})
    customer.sandbox.trouble("commit_then_drop", method="POST", account=customer.account)

    assert_told_not_to_repeat(customer)

    customer.wait_for_state()
    customer.assert_whole()
    assert posts(customer) == 1
    assert edge_looks(customer)[-1].why == "poll"


def test_a_create_that_never_arrived_stays_unknown_and_is_not_repeated(
    customer: Customer,
) -> None:
    customer.sandbox.trouble("reset", method="POST", account=customer.account)

    assert_told_not_to_repeat(customer)

    eventually(lambda: len(edge_looks(customer)) >= 2, what="two searches")
    (row,) = customer.sets()
    assert (row.state, customer.ledger(), posts(customer)) == ("unknown", [], 1)
    assert row.look_at is not None
    assert customer.findings() == [f"intent {row.id} is unknown"]


def test_a_create_whose_answer_is_lost_waits_until_its_set_is_found(
    installation: Installation, own_customer: Customer
) -> None:
    installation.set(create_wait_seconds=20)
    installation.start_web()
    installation.start_worker()
    own_customer.sandbox.trouble("commit_then_drop", method="POST", account=own_customer.account)

    answer = own_customer.create()

    (entry,) = own_customer.ledger()
    assert (answer.status_code, answer.json()) == (200, {"id": entry["id"]})


def test_a_create_that_never_arrived_is_sent_again_by_the_worker(
    installation: Installation, own_customer: Customer
) -> None:
    installation.set(graph_deadline_seconds=1, send_before_seconds=1, settle_seconds=1)
    installation.start_web()
    installation.start_worker()
    own_customer.sandbox.trouble("reset", method="POST", account=own_customer.account)
    assert own_customer.create(name="Lost").status_code == 409

    own_customer.create_open(name="A witness")

    own_customer.wait_for_state()
    own_customer.assert_whole(sets=2)
    assert [row.attempt for row in own_customer.sets()] == [2, 1]
