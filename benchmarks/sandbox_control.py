"""How a benchmark tells the sandbox what to do, and reads what was spent there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Spent:
    """What was spent at the sandbox; ``calls`` counts each of the batches' ``operations``, too."""

    calls: int
    operations: int
    points: int

    @property
    def http_calls(self) -> int:
        return self.calls - self.operations

    def since(self, before: Spent) -> Spent:
        return Spent(
            self.calls - before.calls,
            self.operations - before.operations,
            self.points - before.points,
        )


def tell(sandbox_url: str, path: str, body: object) -> None:
    """Make one of the control calls that change something."""
    url = f"{sandbox_url}/sandbox/{path}"
    requests.post(url, json=body, timeout=_TIMEOUT_SECONDS).raise_for_status()


def ask(sandbox_url: str, path: str) -> dict[str, Any]:
    """Make one of the control calls that show something."""
    answer = requests.get(f"{sandbox_url}/sandbox/{path}", timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


def spent(sandbox_url: str) -> Spent:
    """Return what was spent since the sandbox began."""
    answer = ask(sandbox_url, "calls")
    operations = sum(call["is_operation"] for call in answer["calls"])
    totals = answer["totals"]
    return Spent(totals["calls"], operations, totals["points"])
