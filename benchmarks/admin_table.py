"""The tables of ``admin.md``, from what ``benchmarks.admin --json`` printed of several databases.

``python -m benchmarks.admin_table --report '10 k' small.json --report '10 M' large.json`` prints,
for each key, what each population's column says of each case, and what they come to in a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

GOAL_MS = 100.0
_GROWTH_MOST = 2.0
_ENOUGH_CALLS = 100
"""With fewer, the 99th percentile is the slowest call."""

_WHO_ASKS = ("(all of api_key)", "(all of api_key_account)", "(all of sign_in)")
"""Every call looks there first, and they hold a few rows."""

Measures = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Report:
    """One population's measures, by key and case."""

    label: str
    measures: Measures

    def cell(self, key: str, case: str) -> str:
        """The times of a case, in milliseconds: median / 99th percentile."""
        one = self.measures.get((key, case))
        if one is None:
            return "-"
        mark = "*" if one["calls"] < _ENOUGH_CALLS else ""
        return f"{one['p50_ms']:.1f} / {one['p99_ms']:.1f}{mark}"

    def number(self, key: str, case: str, name: str) -> str:
        one = self.measures.get((key, case), {})
        return "-" if one.get(name) is None else f"{one[name]:.0f}"

    def of_key(self, key: str) -> list[Mapping[str, Any]]:
        return [one for (name, _), one in self.measures.items() if name == key]

    def has(self, name: str) -> bool:
        return any(one.get(name) is not None for one in self.measures.values())


@click.command()
@click.option(
    "--report",
    "given",
    type=(str, click.Path(exists=True, dir_okay=False, path_type=Path)),
    multiple=True,
    required=True,
    help="A column's name, and the file of its JSON; several files of one name are one column.",
)
def main(given: Sequence[tuple[str, Path]]) -> None:
    """Print the measures of several populations beside each other, in Markdown."""
    reports = _read(given)
    for key in _in_order(key for report in reports for key, _ in report.measures):
        shown = [report for report in reports if report.of_key(key)]
        click.echo(f"\n## Key: {key}\n")
        click.echo("\n".join(_table(key, shown)))
        if key != "-":
            click.echo("\n" + "\n".join(_summary(key, shown)))


def _read(given: Sequence[tuple[str, Path]]) -> list[Report]:
    columns: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {}
    for label, path in given:
        column = columns.setdefault(label, {})
        for measures in json.loads(path.read_text()).values():
            for one in measures:
                # A later file adds to what an earlier one measured, a cold call say.
                known = column.get((one["key"], one["case"]), {})
                column[one["key"], one["case"]] = {
                    **one,
                    **{name: value for name, value in known.items() if value is not None},
                }
    return [Report(label, measures) for label, measures in columns.items()]


def _in_order(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _table(key: str, reports: Sequence[Report]) -> Iterator[str]:
    counted = [report for report in reports if report.has("pages")]
    cold = [report for report in reports if report.has("cold_ms")]
    heads = [
        "case",
        "by",
        *(report.label for report in reports),
        *(f"cold, {report.label}" for report in cold),
        *(f"pages, {report.label}" for report in counted),
        "indexes",
    ]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for case in _in_order(one["case"] for report in reports for one in report.of_key(key)):
        found = [one for report in reports if (one := report.measures.get((key, case)))]
        cells = [
            f"`{case.removeprefix('/admin/api')}`",
            found[-1]["by"],
            *(report.cell(key, case) for report in reports),
            *(report.number(key, case, "cold_ms") for report in cold),
            *(report.number(key, case, "pages") for report in counted),
            ", ".join(f"`{name}`" for name in _indexes(key, case, counted)),
        ]
        yield f"| {' | '.join(cells)} |"


def _indexes(key: str, case: str, counted: Sequence[Report]) -> list[str]:
    """The indexes by which PostgreSQL read the last population that has the case."""
    found = [one for report in counted if (one := report.measures.get((key, case)))]
    return [name for name in found[-1]["indexes"] if name not in _WHO_ASKS] if found else []


def _summary(key: str, reports: Sequence[Report]) -> Iterator[str]:
    yield "| | cases | median of medians | highest median | median of 99th | 99th below 100 ms |"
    yield "|---|---|---|---|---|---|"
    for report in reports:
        medians = [one["p50_ms"] for one in report.of_key(key)]
        slowest = [one["p99_ms"] for one in report.of_key(key)]
        fast = sum(value < GOAL_MS for value in slowest)
        figures = f"{median(medians):.1f} | {max(medians):.0f} | {median(slowest):.0f}"
        yield f"| {report.label} | {len(medians)} | {figures} | {fast} |"
    counted = [report for report in reports if report.has("pages")]
    if len(counted) > 1:
        yield from _growth(key, counted[0], counted[-1])


def _growth(key: str, first: Report, last: Report) -> Iterator[str]:
    both = [case for name, case in first.measures if name == key and (key, case) in last.measures]
    times = {
        case: last.measures[key, case]["p50_ms"] / first.measures[key, case]["p50_ms"]
        for case in both
    }
    grown = sorted((case for case in both if times[case] > _GROWTH_MOST), key=times.__getitem__)
    yield ""
    yield (
        f"From {first.label} to {last.label} the median of a case grows "
        f"{median(times.values()):.2f} times (median of {len(both)} cases), and more than twice in "
        f"{len(grown)}: " + ", ".join(f"`{case}` {times[case]:.1f}" for case in reversed(grown))
    )


if __name__ == "__main__":
    main()
