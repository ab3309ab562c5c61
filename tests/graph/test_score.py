from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.score import Score, read_score, write_score
from tests.support.rows import NOW, at

DEVELOPMENT = Score(tier="development_access")


def spent(*moments: tuple[float, float], tier: str | None = None) -> Score:
    score = Score(tier=tier)
    for seconds, points in moments:
        score = score.add(points, now=at(seconds))
    return score


def test_points_count_for_five_minutes() -> None:
    score = spent((0, 3), (100, 1))
    assert [score.at(at(seconds)) for seconds in (100, 299, 311, 411)] == [4, 4, 1, 0]


@pytest.mark.parametrize(
    ("tier", "limit"),
    [("development_access", 60), ("standard_access", 9000), (None, 9000), ("x", 9000)],
)
def test_the_limit_is_that_of_the_tier(tier: str | None, limit: float) -> None:
    assert Score(tier=tier).limit == limit


def test_a_call_has_room_until_its_share_is_full_and_again_when_points_have_gone() -> None:
    score = spent((0, 40), (60, 7), tier="development_access")
    assert score.room_at(1, most_percent=80, now=at(60)) is None
    full = score.add(1, now=at(60))
    resume_at = full.room_at(1, most_percent=80, now=at(60))
    assert resume_at is not None
    assert resume_at <= at(311)
    assert full.room_at(1, most_percent=80, now=resume_at) is None
    assert full.room_at(1, most_percent=90, now=at(60)) is None


def test_what_never_fits_is_put_off() -> None:
    assert DEVELOPMENT.room_at(61, most_percent=100, now=NOW) == NOW + timedelta(seconds=300)


def test_a_header_that_tells_more_is_believed() -> None:
    assert spent((0, 3)).corrected(50, now=NOW).at(NOW) == 4500


def test_a_header_that_tells_less_is_believed_but_for_what_it_rounds() -> None:
    score = spent((0, 3000))
    assert score.corrected(10, now=NOW).at(NOW) == pytest.approx(990)
    assert score.corrected(33, now=NOW).at(NOW) == 3000
    assert Score().corrected(0, now=NOW).at(NOW) == 0


def test_a_clock_that_was_put_back_forgets_nothing() -> None:
    assert spent((1000, 5)).at(NOW) == 5


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 100)), max_size=30))
def test_it_is_written_and_read_alike_and_never_negative(spends: list[tuple[float, float]]) -> None:
    score = spent(*sorted(spends), tier="development_access")
    again = read_score(write_score(score), tier=score.tier)
    assert again.at(at(900)) == pytest.approx(score.at(at(900)), abs=0.1)
    assert score.at(at(900)) >= 0


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(0, 20)), max_size=20),
    st.floats(1, 50),
    st.floats(10, 100),
)
def test_whoever_waits_as_told_has_room(
    spends: list[tuple[float, float]], points: float, percent: float
) -> None:
    score = spent(*sorted(spends), tier="development_access")
    resume_at = score.room_at(points, most_percent=percent, now=at(300))
    if resume_at is not None and points <= 60 * percent / 100:
        assert resume_at > at(300)
        assert score.room_at(points, most_percent=percent, now=resume_at) is None


def test_nothing_written_is_nothing_spent() -> None:
    assert read_score(None, tier=None) == Score()
