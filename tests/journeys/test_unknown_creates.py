"""Creates whose outcome got lost: nothing is sent again, and what exists is found."""

from __future__ import annotations

from receiver.store.models import Look
from tests.support.processes import Customer, eventually


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
