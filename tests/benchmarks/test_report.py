from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.figure import Figure, Unmeasured
from benchmarks.machine import Machine, cpu_model, memory_mib
from benchmarks.report import Row, document, number, table

_MACHINE = Machine(
    date="2026-01-01 12:00 UTC",
    commit="abc1234",
    cores=2,
    cpu="A processor",
    memory_mib=24_000,
    system="Linux 6.1",
    python="3.11.7",
    sqlite="3.40.1",
    postgresql=None,
    load_average=0.1,
)
_ROWS = [
    Row("scale", Figure.of("2 workers", [1.9, 2.1, 1.7], unit="x", peer="one").at_least(1.8)),
    Row("scale", Figure.of("4 workers", [3.0], unit="x", peer="one").at_least(3.2)),
    Row("due", Unmeasured("the rest", "no PostgreSQL answers")),
    Row("day", Unmeasured("the rest", "ValueError()", is_failure=True)),
]


@pytest.fixture
def lines() -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    console.print(table(_ROWS))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def _line(lines: list[str], start: str) -> list[str]:
    (found,) = [line for line in lines if start in line]
    return re.split(r"\s*│\s*", found.strip("│ "))


def test_the_table_shows_each_figure_with_its_spread_peer_and_target(lines: list[str]) -> None:
    assert _line(lines, "2 workers") == [
        "scale: 2 workers",
        "1.90 x",
        "1.70 - 2.10",
        "3",
        "one",
        "at least 1.8",
        "yes",
    ]


def test_a_missed_target_catches_the_eye_and_one_round_has_no_spread(lines: list[str]) -> None:
    assert _line(lines, "4 workers")[2:] == ["", "1", "one", "at least 3.2", "MISSED"]


def test_what_is_missing_stands_in_the_table_with_its_reason(lines: list[str]) -> None:
    assert _line(lines, "due:")[1:5] == ["not measured", "", "", "no PostgreSQL answers"]
    assert _line(lines, "day:")[1:5] == ["failed", "", "", "ValueError()"]


def test_the_document_is_json_with_the_machine_and_every_figure() -> None:
    written = json.loads(json.dumps(document(_MACHINE, _ROWS)))

    assert written["machine"]["cores"] == 2
    assert written["machine"]["postgresql"] is None
    assert [(one["benchmark"], one["value"], one["met"]) for one in written["figures"]] == [
        ("scale", 1.9, True),
        ("scale", 3.0, False),
        ("due", None, None),
        ("day", None, None),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.12345, "0.123"),
        (1.239, "1.24"),
        (99.999, "100.00"),
        (1234.5, "1,234"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_are_as_precise_as_a_measurement(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_machine_with_a_quarter_of_its_cores_taken_is_busy() -> None:
    assert not replace(_MACHINE, load_average=0.5).is_busy
    assert replace(_MACHINE, load_average=0.51).is_busy


def test_the_machine_is_described_in_one_line() -> None:
    assert str(_MACHINE) == (
        "2 cores (A processor), 23 GiB, Linux 6.1, Python 3.11.7, SQLite 3.40.1, PostgreSQL none; "
        "commit abc1234, 2026-01-01 12:00 UTC, load 0.10 before the start"
    )


def test_processor_and_memory_are_read_where_linux_tells() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel\t: 1\n") == "AMD EPYC 7B13"
    assert memory_mib("MemTotal:       24576000 kB\nMemFree: 1 kB\n") == 24_000
    assert cpu_model("") is None
    assert memory_mib("") is None
