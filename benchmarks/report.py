"""What was measured, as a table for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from benchmarks.figure import Figure, Unmeasured
from benchmarks.machine import Machine

_HUNDREDS = 100


@dataclass(frozen=True)
class Row:
    """A figure and the benchmark that it comes from."""

    benchmark: str
    figure: Figure | Unmeasured


def document(machine: Machine, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what ``build/bench.json`` holds."""
    figures = [{"benchmark": row.benchmark, **row.figure.document()} for row in rows]
    return {"machine": asdict(machine), "figures": figures}


def table(rows: Sequence[Row]) -> Table:
    """Return the table of what was measured, a section for each benchmark."""
    shown = Table(title="Benchmarks: medians of their rounds", title_justify="left")
    shown.add_column("figure", overflow="fold", min_width=24)
    for name in ("value", "spread", "rounds"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("peer", overflow="fold", min_width=12)
    shown.add_column("target", no_wrap=True)
    shown.add_column("met")
    for index, row in enumerate(rows):
        is_last = index + 1 == len(rows) or rows[index + 1].benchmark != row.benchmark
        shown.add_row(f"{row.benchmark}: {row.figure.name}", *_cells(row), end_section=is_last)
    return shown


def _cells(row: Row) -> Sequence[str]:
    one = row.figure
    if isinstance(one, Unmeasured):
        return ("failed" if one.is_failure else "not measured", "", "", one.reason, "", "")
    return (
        f"{number(one.value)} {one.unit}",
        "" if one.rounds == 1 else f"{number(one.lowest)} - {number(one.highest)}",
        str(one.rounds),
        one.peer or "",
        "" if one.target is None else str(one.target),
        {None: "", True: "yes", False: "MISSED"}[one.is_met],
    )


def number(value: float) -> str:
    """Write a number as precisely as a measurement is."""
    if abs(value) >= _HUNDREDS or value == 0:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
