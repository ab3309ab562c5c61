from __future__ import annotations

import pytest

from receiver.sandbox.views.insights import INSIGHTS
from receiver.sandbox.views.made_up import Figures, made_up_figures, made_up_number


def test_a_number_depends_on_its_seed_alone() -> None:
    assert made_up_number("a seed", below=1000) == made_up_number("a seed", below=1000)
    assert len({made_up_number(f"seed {n}", below=10) for n in range(200)}) == 10


@pytest.mark.parametrize("object_id", [str(number) for number in range(600, 650)])
def test_figures_fit_together(object_id: str) -> None:
    figures = made_up_figures(object_id)
    assert figures == made_up_figures(object_id)
    assert figures.impressions >= figures.reach > 0
    assert figures.impressions > figures.clicks > 0
    assert figures.spend > 0


def test_figures_are_shown_as_strings_with_money_in_whole_units() -> None:
    shown = Figures(impressions=1000, reach=500, clicks=10, spend=1234).shown()
    assert shown == {
        "impressions": "1000",
        "reach": "500",
        "clicks": "10",
        "spend": "12.34",
        "frequency": "2.000000",
        "ctr": "1.000000",
        "cpc": "1.234000",
        "cpm": "12.340000",
    }
    assert set(shown) < set(INSIGHTS.fields)


def test_figures_are_added_one_by_one() -> None:
    assert Figures(1, 2, 3, 4) + Figures(10, 20, 30, 40) == Figures(11, 22, 33, 44)
