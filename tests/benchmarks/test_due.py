from __future__ import annotations

import pytest

from benchmarks import due
from benchmarks.due import Population
from tests.support.databases import require_postgres


@pytest.mark.drill
def test_finding_what_is_due_is_measured_beside_the_smallest_database() -> None:
    require_postgres()
    said: list[str] = []
    waiting = Population(400, accounts=20, waiting_sets=200)
    populations = (Population(200), Population(400), waiting)

    figures = {
        (one.name, one.unit): one
        for one in due.figures(rounds=2, say=said.append, calls=3, populations=populations)
    }

    ratio = figures["400 open sets, p50", "x"]
    assert (ratio.peer, ratio.rounds, str(ratio.target)) == ("200 open sets", 2, "at most 1.5")
    small, large = (figures[f"{size} open sets, p50", "ms"] for size in (200, 400))
    assert ratio.lowest <= large.highest / small.lowest
    assert ratio.highest >= large.lowest / small.highest
    assert "LockRows" in (large.detail or "")
    assert any("LockRows" in line for line in said)
    assert str(figures[f"{waiting}, p50", "x"].target) == "at most 6"
