from __future__ import annotations

import pytest

from benchmarks.figure import Figure, Unmeasured


def test_a_figure_is_the_median_of_its_rounds_with_their_spread() -> None:
    figure = Figure.of("notifications", [3.0, 9.0, 4.0], unit="x", peer="a no-op view")

    assert (figure.value, figure.lowest, figure.highest, figure.rounds) == (4.0, 3.0, 9.0, 3)


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure.of("f", [0.8], unit="x").at_least(0.8), True),
        (Figure.of("f", [0.79], unit="x").at_least(0.8), False),
        (Figure.of("f", [50.0], unit="ms").at_most(50), True),
        (Figure.of("f", [50.1], unit="ms").at_most(50), False),
        (Figure.of("f", [50.1], unit="ms"), None),
    ],
)
def test_a_target_is_a_bound_that_counts_as_met_itself(
    *, figure: Figure, is_met: bool | None
) -> None:
    assert figure.is_met is is_met


def test_a_document_says_all_there_is_to_a_figure() -> None:
    figure = Figure.of("f", [1.0, 2.0], unit="x", peer="p").at_most(2).with_detail("a plan")

    assert figure.document() == {
        "name": "f",
        "value": 1.5,
        "unit": "x",
        "target": "at most 2",
        "met": True,
        "lowest": 1.0,
        "highest": 2.0,
        "rounds": 2,
        "peer": "p",
        "detail": "a plan",
    }


def test_what_was_not_measured_has_no_value_and_says_why() -> None:
    assert Unmeasured("f", "no PostgreSQL").document() == {
        "name": "f",
        "value": None,
        "met": None,
        "detail": "not measured: no PostgreSQL",
    }
    assert Unmeasured("f", "it broke", is_failure=True).document()["detail"] == "failed: it broke"
