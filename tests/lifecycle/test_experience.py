from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle.experience import Experience, Past, learn, size_bucket


def test_without_enough_sets_of_a_size_nothing_is_usual() -> None:
    assert learn([]).usual_seconds(1) is None
    assert learn([Past(10, 5, is_lost=False)] * 2).usual_seconds(10) is None


def test_four_of_five_sets_of_a_size_are_complete_within_the_usual_time() -> None:
    learned = learn(Past(10, seconds, is_lost=False) for seconds in (50, 10, 40, 20, 30))
    assert learned.usual_seconds(10) == 40
    assert learned.usual_seconds(15) == 40
    assert learned.usual_seconds(16) is None


def test_one_of_ten_sets_of_a_size_is_complete_within_the_early_time() -> None:
    learned = learn(Past(10, seconds, is_lost=False) for seconds in range(20, 0, -1))
    assert learned.early_seconds(10) == 2
    assert learned.early_seconds(16) is None
    assert learn([Past(10, 5, is_lost=False)] * 2).early_seconds(10) is None


@pytest.mark.parametrize("is_lost", [True, None])
def test_a_set_that_only_a_look_found_complete_does_not_tell_how_long_it_took(
    *, is_lost: bool | None
) -> None:
    notified = [Past(10, 40, is_lost=False)] * 3
    found_late = [Past(10, 900, is_lost=is_lost)] * 50
    assert learn([*notified, *found_late]).usual_seconds(10) == 40
    assert learn(found_late).usual_seconds(10) is None
    # No set is called late that others like it were not.
    assert learn(found_late).seen_seconds(10) == 900


@pytest.mark.parametrize(
    ("count", "bucket"), [(1, 1), (2, 2), (3, 2), (4, 3), (999, 10), (1000, 10)]
)
def test_sizes_that_are_alike_share_a_bucket(count: int, bucket: int) -> None:
    assert size_bucket(count) == bucket


def test_the_loss_rate_is_that_of_what_is_decided() -> None:
    words = [True, False, None, False, None, False]
    assert learn(Past(1, 1, is_lost=word) for word in words).loss_rate == 0.25


@given(
    st.lists(
        st.builds(
            Past,
            st.integers(1, 1000),
            seconds=st.floats(-10, 10**6),
            is_lost=st.none() | st.booleans(),
        )
    )
)
def test_what_is_learned_lies_within_what_was_seen(past: list[Past]) -> None:
    learned = learn(past)
    assert 0 <= learned.loss_rate <= 1
    for one in past:
        usual = learned.usual_seconds(one.spec_count)
        assert usual is None or 0 <= usual <= max(0.0, *(each.seconds for each in past))


def test_no_experience_is_no_loss() -> None:
    assert Experience().loss_rate == 0


def test_a_set_is_past_its_usual_time_from_that_moment_on() -> None:
    learned = learn([Past(10, 40, is_lost=False)] * 3)

    assert not learned.is_past_usual(10, age_seconds=39.9)
    assert learned.is_past_usual(10, age_seconds=40)
    assert not learned.is_past_usual(1000, age_seconds=86_400)
