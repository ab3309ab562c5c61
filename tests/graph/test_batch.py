"""The plan of a batch: whatever depends on whatever, order, ties and limits are kept."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.graph.batch import (
    MAX_AD_CREATIONS,
    MAX_OPERATIONS,
    Tie,
    Wave,
    needs_of,
    pack,
    plan_waves,
)


@st.composite
def ties(draw: st.DrawFn) -> list[Tie]:
    """Any operations: of three groups, tied to any earlier ones, of which some create ads."""
    count = draw(st.integers(0, 120))
    connected = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]))
    random = draw(st.randoms(use_true_random=False))
    return [
        Tie(
            needs=tuple(
                sorted(random.sample(range(number), min(number, random.randint(1, 2))))
                if number and random.random() < connected
                else ()
            ),
            creates_ad=random.random() < 0.5,
            can_ride=random.random() < 0.8,
            group=random.choice("ab"),
        )
        for number in range(count)
    ]


def calls_of(planned: list[Wave], of: list[Tie]) -> list[list[list[int]]]:
    """Return the calls of each wave."""
    return [pack([*wave.tied, *((number,) for number in wave.free)], ties=of) for wave in planned]


@settings(max_examples=40)
@given(ties())
def test_each_operation_is_sent_exactly_once(of: list[Tie]) -> None:
    calls = calls_of(plan_waves(of), of)
    sent = [number for wave in calls for call in wave for number in call]
    assert sorted(sent) == list(range(len(of)))


@settings(max_examples=40)
@given(ties())
def test_no_call_breaks_a_limit_or_mixes_groups(of: list[Tie]) -> None:
    for call in itertools.chain.from_iterable(calls_of(plan_waves(of), of)):
        assert 1 <= len(call) <= MAX_OPERATIONS
        assert sum(of[number].creates_ad for number in call) <= MAX_AD_CREATIONS
        assert len({of[number].group for number in call}) == 1
        assert call == sorted(call)


@settings(max_examples=40)
@given(ties())
def test_what_an_operation_needs_comes_before_it_in_an_earlier_wave_or_in_its_own_call(
    of: list[Tie],
) -> None:
    place = {}
    for wave_number, wave in enumerate(calls_of(plan_waves(of), of)):
        for call_number, call in enumerate(wave):
            for number in call:
                place[number] = (wave_number, call_number)
    for number, tie in enumerate(of):
        for need in tie.needs:
            assert place[need][0] < place[number][0] or place[need] == place[number]


@settings(max_examples=40)
@given(ties())
def test_operations_of_one_call_that_are_tied_ride_whole_or_not_at_all(of: list[Tie]) -> None:
    for wave in plan_waves(of):
        for unit in wave.tied:
            members = set(unit)
            assert all(of[number].can_ride for number in unit)
            assert all(set(of[number].needs) <= members for number in unit)
            users = [other for other, tie in enumerate(of) if members & set(tie.needs)]
            assert set(users) <= members


def test_one_creative_and_two_hundred_ads_are_two_waves_in_calls_of_ten() -> None:
    of = [Tie(), *(Tie(needs=(0,), creates_ad=True) for _ in range(200))]
    first, second = calls_of(plan_waves(of), of)
    assert first == [[0]]
    assert [len(call) for call in second] == [10] * 20


def test_a_chain_that_fits_is_one_call() -> None:
    of = [Tie(), Tie(needs=(0,)), Tie(needs=(1,)), Tie(needs=(2,), creates_ad=True)]
    assert calls_of(plan_waves(of), of) == [[[0, 1, 2, 3]]]


def test_a_name_that_stands_twice_means_the_latest_before() -> None:
    names = ["a", None, "a", None]
    assert needs_of(names, needed=[(), ("a",), (), ("a",)]) == [[], [0], [], [2]]


def test_no_operations_are_no_waves() -> None:
    assert plan_waves([]) == []
