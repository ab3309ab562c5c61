from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from benchmarks.__main__ import BENCHMARKS, Benchmark, run
from benchmarks.figure import Figure, Unmeasured
from benchmarks.postgresql import NoPostgreSQL


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Benchmark]:
    """Makes a benchmark that measures one figure, the rounds it was asked for, and then ends."""

    def make(name: str, ends_with: Exception | None = None) -> Benchmark:
        def figures(*, rounds: int, say: Callable[[str], None]) -> Iterator[Figure]:
            say("measuring")
            yield Figure.of("rounds", [rounds], unit="rounds")
            if ends_with is not None:
                raise ends_with

        module: Any = ModuleType(f"benchmarks.{name}")
        module.figures = figures
        monkeypatch.setitem(sys.modules, f"benchmarks.{name}", module)
        return Benchmark(name, short={"rounds": 3}, full={"rounds": 9})

    return make


def _shown(benchmarks: list[Benchmark], *, is_full: bool = False) -> list[tuple[str, object]]:
    return [
        (row.benchmark, row.figure.value if isinstance(row.figure, Figure) else row.figure)
        for row in run(benchmarks, is_full=is_full)
    ]


def test_benchmarks_run_one_after_the_other_in_short_or_in_full(
    benchmark: Callable[..., Benchmark], capsys: pytest.CaptureFixture[str]
) -> None:
    both = [benchmark("first"), benchmark("second")]

    assert _shown(both) == [("first", 3), ("second", 3)]
    assert _shown(both, is_full=True) == [("first", 9), ("second", 9)]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "[2/2] second" in printed.err


def test_one_that_fails_keeps_what_it_measured_and_the_next_one_runs(
    benchmark: Callable[..., Benchmark],
) -> None:
    shown = _shown([benchmark("broken", ValueError("no luck")), benchmark("second")])

    assert shown == [
        ("broken", 3),
        ("broken", Unmeasured("the rest", "ValueError('no luck')", is_failure=True)),
        ("second", 3),
    ]


def test_one_that_cannot_be_loaded_is_a_failure() -> None:
    ((_, figure),) = _shown([Benchmark("there_is_none", short={}, full={})])

    assert isinstance(figure, Unmeasured)
    assert (figure.name, figure.is_failure) == ("all of it", True)


def test_one_without_postgresql_is_shown_and_is_no_failure(
    benchmark: Callable[..., Benchmark],
) -> None:
    shown = _shown([benchmark("scale", NoPostgreSQL("no PostgreSQL answers"))])

    assert shown[1] == ("scale", Unmeasured("the rest", "no PostgreSQL answers"))


def test_every_benchmark_is_named_once() -> None:
    names = [each.name for each in BENCHMARKS]

    assert len(set(names)) == len(names)
