"""One measured figure: what it is, what it was measured to be, and what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Target:
    """What a figure should be: at least, or at most, a value in its own unit."""

    bound: Literal["at least", "at most"]
    value: float

    def is_met_by(self, value: float) -> bool:
        return value >= self.value if self.bound == "at least" else value <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """The median of several rounds, with the lowest and the highest of them.

    ``unit`` is ``x`` for a ratio to a peer or a floor of the same run, which ``peer`` names.
    ``detail`` is text that belongs to it: what a machine was busy with, a database's plan.
    """

    name: str
    value: float
    unit: str
    lowest: float
    highest: float
    rounds: int
    peer: str | None = None
    target: Target | None = None
    detail: str | None = None

    @classmethod
    def of(cls, name: str, rounds: Sequence[float], *, unit: str, peer: str | None = None) -> Self:
        """Return the figure of some rounds, one at the least."""
        return cls(
            name,
            value=median(rounds),
            unit=unit,
            lowest=min(rounds),
            highest=max(rounds),
            rounds=len(rounds),
            peer=peer,
        )

    def at_least(self, value: float) -> Self:
        return replace(self, target=Target("at least", value))

    def at_most(self, value: float) -> Self:
        return replace(self, target=Target("at most", value))

    def with_detail(self, text: str) -> Self:
        return replace(self, detail=text)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.target is None else self.target.is_met_by(self.value)

    def document(self) -> dict[str, Any]:
        """The figure as it stands in ``build/bench.json``."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": None if self.target is None else str(self.target),
            "met": self.is_met,
            "lowest": self.lowest,
            "highest": self.highest,
            "rounds": self.rounds,
            "peer": self.peer,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Unmeasured:
    """A figure, or a whole benchmark, without a value: the machine lacks something, or it failed.

    It stands in the table all the same, so that nobody takes what is left for everything.
    """

    name: str
    reason: str
    is_failure: bool = False

    def document(self) -> dict[str, Any]:
        """It as it stands in ``build/bench.json``."""
        verb = "failed" if self.is_failure else "not measured"
        return {"name": self.name, "value": None, "met": None, "detail": f"{verb}: {self.reason}"}
