"""Every answer is lost, of sets that were made and of sets that were not, turn by turn."""

from __future__ import annotations

from collections import Counter

import pytest

from receiver.store import intents
from receiver.store.models import Look, RequestSet
from tests.support.house import House, ad

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


TWO_THOUSAND = pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("count", [pytest.param(24, marks=pytest.mark.drill), TWO_THOUSAND])
def test_half_is_found_and_half_is_sent_again_and_nothing_is_doubled(
    house: House, count: int
) -> None:
    for number in range(count):
        house.sandbox.trouble("reset" if number % 2 else "commit_then_drop", **CREATE)
        assert house.create([ad("one")], name=f"set {number}").status_code == 409
        house.let_time_pass(0.2)
    for _ in range(40):
        house.let_time_pass(120)
        house.work(most=10 * count)
        if {row.state for row in house.rows(RequestSet)} == {intents.COLLECTED}:
            break

    rows = house.rows(RequestSet)
    assert {row.state for row in rows} == {intents.COLLECTED}
    assert Counter(row.attempt for row in rows) == {1: count // 2, 2: count // 2}
    made = Counter(house.sandbox.set_names())
    assert (len(made), set(made.values())) == (count, {1})
    searches = [look for look in house.rows(Look) if look.kind == "edge" and look.calls]
    # One search serves up to two hundred open questions.
    assert len(searches) <= 5 + count / 4
