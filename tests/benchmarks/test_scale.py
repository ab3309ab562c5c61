from __future__ import annotations

import re

import pytest

from benchmarks import scale
from tests.support.databases import require_postgres


@pytest.mark.drill
def test_more_workers_are_measured_beside_one_and_what_they_took_is_kept() -> None:
    require_postgres()

    one, two, four = scale.figures(rounds=1, say=lambda _: None, sets_a_worker=6)

    assert one.value > 0
    assert [each.peer for each in (two, four)] == ["one worker", "one worker"]
    # Which share of a core each worker took.
    counts = [
        re.search("workers ([^%]+%(?:, [0-9]+%)*)", each.detail or "") for each in (one, four)
    ]
    assert [found and found[1].count("%") for found in counts] == [1, 4]
