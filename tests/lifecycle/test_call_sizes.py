"""A process learns for each account how much of the most one call may ask for."""

from __future__ import annotations

import pytest

from receiver.graph.errors import (
    AnswerTooLate,
    AnswerTooLong,
    GraphError,
    NotSent,
    UnansweredOperation,
)
from receiver.lifecycle.call_sizes import CallSizes

ACCOUNT, OTHER = 71597454, 2
LATE = AnswerTooLate("Sent, and no complete answer came: the deadline passed.")


def graph_error(code: int) -> GraphError:
    return GraphError("No", http_status=500, code=code)


def test_an_account_of_which_nothing_is_known_is_asked_for_the_most() -> None:
    assert CallSizes().share(ACCOUNT, most=50) == 50


@pytest.mark.parametrize(
    "failure",
    [
        LATE,
        AnswerTooLong(http_status=200),
        UnansweredOperation("Facebook did not answer this operation of a batch."),
        graph_error(960),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_call_that_was_too_much_is_followed_by_one_of_half(failure: Exception) -> None:
    sizes = CallSizes()
    assert sizes.learn(ACCOUNT, ["an answer", failure])
    assert (sizes.share(ACCOUNT, most=50), sizes.share(OTHER, most=50)) == (25, 50)


def test_it_is_halved_to_an_eighth_and_no_further() -> None:
    sizes = CallSizes()
    assert [sizes.learn(ACCOUNT, [LATE] * 2) for _ in range(4)] == [True, True, True, False]
    assert (sizes.share(ACCOUNT, most=50), sizes.share(ACCOUNT, most=1)) == (6, 1)


def test_each_answer_lets_it_grow_by_an_eighth_until_it_is_the_most() -> None:
    sizes = CallSizes()
    sizes.learn(ACCOUNT, [LATE] * 2)
    shares = []
    for _ in range(5):
        assert not sizes.learn(ACCOUNT, ["an answer"] * 2)
        shares.append(sizes.share(ACCOUNT, most=80))
    assert shares == [50, 60, 70, 80, 80]


@pytest.mark.parametrize("failure", [graph_error(2), graph_error(1), NotSent("No connection")])
def test_an_error_that_says_nothing_of_the_call_makes_none_smaller(failure: Exception) -> None:
    assert not CallSizes().learn(ACCOUNT, [failure] * 2)


def test_a_call_of_one_operation_cannot_ask_for_fewer() -> None:
    sizes = CallSizes()
    assert not sizes.learn(ACCOUNT, [LATE])
    assert sizes.share(ACCOUNT, most=50) == 50


def test_what_is_no_answer_lets_nothing_grow() -> None:
    sizes = CallSizes()
    sizes.learn(ACCOUNT, [LATE] * 2)
    sizes.learn(ACCOUNT, [NotSent("No connection")] * 2)
    assert sizes.share(ACCOUNT, most=50) == 25
