from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.vocabulary import AD_SETS_EDGE, BATCHES_EDGE
from receiver.lifecycle.look_plan import Due, plan_looks, reads_requests, remembered


def due(number: int, *, quiet_looks: int = 1, edge: str = AD_SETS_EDGE, **is_so: bool) -> Due:
    return Due(number, edge=edge, quiet_looks=quiet_looks, is_expected=is_so.get("expected", False))


def test_one_set_is_read_alone_and_a_few_in_a_batch() -> None:
    assert plan_looks([due(1)], sweep_pages=None).way == "single"
    few = plan_looks([due(number) for number in range(7)], sweep_pages=None)
    assert (few.way, few.points) == ("batch", 7)


def test_many_are_looked_for_on_the_list_which_costs_a_quarter_at_the_most() -> None:
    many = plan_looks([due(number) for number in range(1, 101)], sweep_pages=None)
    assert (many.way, len(many.swept), many.direct, many.points) == ("sweep", 100, (), 20)


def test_what_is_expected_to_be_complete_is_read_by_itself() -> None:
    hinted = [due(number, expected=True) for number in range(5)]
    plan = plan_looks([*hinted, *(due(number) for number in range(10, 30))], sweep_pages=None)
    assert (plan.direct, len(plan.swept)) == ((0, 1, 2, 3, 4), 20)


def test_every_eighth_quiet_look_at_a_set_is_its_own() -> None:
    """A list may never show it: no set depends on it for ever."""
    sets = [due(number, quiet_looks=number) for number in range(1, 17)]
    assert plan_looks(sets, sweep_pages=None).direct == (8, 16)


def test_other_edges_are_not_swept() -> None:
    batches = [due(number, edge=BATCHES_EDGE) for number in range(100)]
    assert plan_looks(batches, sweep_pages=None).way == "batch"


def test_an_account_whose_sweeps_cost_much_is_read_in_batches() -> None:
    sets = [due(number) for number in range(1, 41)]
    assert plan_looks(sets, sweep_pages=10).way == "sweep"
    assert plan_looks(sets, sweep_pages=10.1).way == "batch"


def test_the_newest_sweep_counts_by_a_third() -> None:
    assert [remembered(None, 4), remembered(4.0, 1)] == [4.0, 3.0]


@given(
    st.lists(
        st.builds(
            Due,
            st.integers(1, 10**6),
            edge=st.sampled_from([AD_SETS_EDGE, BATCHES_EDGE]),
            quiet_looks=st.integers(0, 50),
            is_expected=st.booleans(),
        ),
        max_size=200,
        unique_by=lambda each: each.request_set_id,
    ),
    st.none() | st.floats(1, 30),
)
def test_every_set_is_looked_at_once_and_never_for_more_points_than_one_by_one(
    sets: list[Due], sweep_pages: float | None
) -> None:
    plan = plan_looks(sets, sweep_pages=sweep_pages)
    assert sorted((*plan.direct, *plan.swept)) == sorted(each.request_set_id for each in sets)
    assert plan.points <= len(sets)


@pytest.mark.parametrize(
    ("is_expected", "spec_count", "is_past_usual", "reads"),
    [
        (False, 50, False, True),
        (False, 51, False, False),
        (True, 51, False, True),
        (False, 51, True, True),
    ],
)
def test_requests_are_read_with_a_set_that_may_be_complete_and_with_a_small_one(
    *, is_expected: bool, spec_count: int, is_past_usual: bool, reads: bool
) -> None:
    found = reads_requests(
        is_expected=is_expected, spec_count=spec_count, is_past_usual=is_past_usual
    )
    assert found is reads
