from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.set.words import counts_in_words, number_of, stacked_bar

counts = st.lists(st.integers(0, 10**6), min_size=4, max_size=4)


@given(counts)
def test_a_bar_is_as_wide_as_it_should_be_and_shows_whatever_there_is(
    given_counts: list[int],
) -> None:
    bar = stacked_bar(given_counts, width=40).plain
    assert len(bar) == (40 if any(given_counts) else 0)
    for shade, count in zip("█▓▒░", given_counts, strict=True):
        assert (shade in bar) == (count > 0)


@pytest.mark.parametrize(
    ("given_counts", "expected"),
    [
        ([0, 0, 0, 0], "nothing"),
        ([480, 20, 0, 0], "480 succeeded, 20 failed"),
        ([0, 0, 1, 3], "1 canceled, 3 to do"),
    ],
)
def test_counts_are_said_without_those_that_are_zero(
    given_counts: list[int], expected: str
) -> None:
    assert counts_in_words(given_counts) == expected


def test_one_of_a_thing_is_no_plural() -> None:
    assert (number_of(1, "set"), number_of(1200, "ad")) == ("1 set", "1,200 ads")
