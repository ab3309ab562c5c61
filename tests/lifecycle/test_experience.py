from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle.experience import Experience, Past, learn, size_bucket
from receiver.lifecycle.plan import first_look_at
from receiver.lifecycle.verdict import DELIVERED, FAILED, LOST, NONE, PENDING, VERDICTS
from tests.support.pace import PACE


def test_without_enough_sets_of_a_size_nothing_is_usual() -> None:
    assert learn([]).usual_seconds(1) is None
    assert learn([Past(10, 5, DELIVERED)] * 2).usual_seconds(10) is None


def test_four_of_five_sets_of_a_size_are_complete_within_the_usual_time() -> None:
    learned = learn(Past(10, seconds, DELIVERED) for seconds in (50, 10, 40, 20, 30))
    assert learned.usual_seconds(10) == 40
    assert learned.usual_seconds(15) == 40
    assert learned.usual_seconds(16) is None


def test_one_of_ten_sets_of_a_size_is_complete_within_the_early_time() -> None:
    learned = learn(Past(10, seconds, DELIVERED) for seconds in range(20, 0, -1))
    assert learned.early_seconds(10) == 2
    assert learned.early_seconds(16) is None
    assert learn([Past(10, 5, DELIVERED)] * 2).early_seconds(10) is None


FOUND_BY_A_LOOK = (LOST, FAILED, PENDING, NONE)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def first_look(past: Iterable[Past]) -> float:
    """After how many seconds a set of ten is first looked at."""
    learned = learn(past)
    moment = first_look_at(
        PACE,
        usual_seconds=learned.usual_seconds(10),
        early_seconds=learned.early_seconds(10),
        loss_rate=learned.loss_rate,
        now=NOW,
    )
    return (moment - NOW).total_seconds()


@pytest.mark.parametrize("verdict", FOUND_BY_A_LOOK)
def test_a_first_look_that_finds_sets_complete_comes_a_little_sooner_the_next_time(
    verdict: str,
) -> None:
    assert first_look([Past(10, 300, verdict)] * 20) == pytest.approx(295)


@given(
    st.lists(st.sampled_from(FOUND_BY_A_LOOK), min_size=3, max_size=20),
    st.integers(15, 900),
)
def test_sets_that_only_looks_found_never_make_the_next_look_later(
    verdicts: list[str], seconds: int
) -> None:
    found_at = [Past(10, seconds, verdict) for verdict in verdicts]
    assert first_look(found_at) <= max(seconds, PACE.look_interval_min_seconds)


@pytest.mark.parametrize("verdict", FOUND_BY_A_LOOK)
def test_where_a_first_look_comes_too_soon_for_most_sets_the_next_one_does_not(
    verdict: str,
) -> None:
    """A set that it just misses is looked at after the shortest interval again."""
    missed_by_little = 300 + PACE.look_interval_min_seconds
    assert first_look([Past(10, missed_by_little, verdict)] * 20) > 305


def test_a_notified_set_took_as_long_as_we_saw() -> None:
    learned = learn([Past(10, 40, DELIVERED)] * 3)
    assert learned.usual_seconds(10) == learned.early_seconds(10) == 40


@pytest.mark.parametrize(
    ("count", "bucket"), [(1, 1), (2, 2), (3, 2), (4, 3), (999, 10), (1000, 10)]
)
def test_sizes_that_are_alike_share_a_bucket(count: int, bucket: int) -> None:
    assert size_bucket(count) == bucket


def test_the_loss_rate_is_that_of_what_is_decided() -> None:
    verdicts = [LOST, DELIVERED, PENDING, NONE, PENDING, FAILED]
    assert learn(Past(1, 1, verdict) for verdict in verdicts).loss_rate == 0.5


@given(
    st.lists(
        st.builds(
            Past,
            st.integers(1, 1000),
            seconds=st.floats(-10, 10**6),
            verdict=st.sampled_from(VERDICTS),
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
    learned = learn([Past(10, 40, DELIVERED)] * 3)

    assert not learned.is_past_usual(10, age_seconds=39.9)
    assert learned.is_past_usual(10, age_seconds=40)
    assert not learned.is_past_usual(1000, age_seconds=86_400)
