"""Hold what is in SQL against the sandbox's own ledger (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StoredSet:
    """A set as it is in SQL: its requests by id, each with its status and its result."""

    request_set_id: int
    facebook_id: int | None
    state: str
    requests: Mapping[str, tuple[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """The two numbers that must be zero, and a sentence for each thing behind them."""

    missing: int
    doubled: int
    findings: list[str]


def compare(
    ledger: Iterable[Mapping[str, Any]],
    stored: Iterable[StoredSet],
    *,
    intent_of: Callable[[str], int | None],
) -> Comparison:
    """Compare every set that really exists with SQL, and every set in SQL with what exists.

    ``intent_of`` reads the intent out of a set's ``notification_uri``.
    """
    ledger, stored = list(ledger), list(stored)
    by_id = {row.facebook_id: row for row in stored}
    missing = [finding for entry in ledger if (finding := _lacks(entry, by_id))]
    real = {int(entry["id"]) for entry in ledger}
    missing += [
        f"intent {row.request_set_id} is {row.state}"
        for row in stored
        if row.state != "rejected" and row.facebook_id not in real
    ]
    intents = Counter(intent_of(entry["notification_uri"] or "") for entry in ledger)
    doubled = [
        f"intent {intent} has {count} sets"
        for intent, count in intents.items()
        if intent is not None and count > 1
    ]
    return Comparison(len(missing), doubled=len(doubled), findings=missing + doubled)


def _lacks(entry: Mapping[str, Any], by_id: Mapping[int | None, StoredSet]) -> str | None:
    """Say what SQL lacks of a set that really exists; None when all of it is there."""
    row = by_id.get(int(entry["id"]))
    if row is None:
        return f"set {entry['id']} is not in SQL"
    if row.state != "collected":
        return f"set {entry['id']} is {row.state}"
    real = {one["id"]: (one["status"], one["result"]) for one in entry["requests"]}
    differing = [
        one for one in real.keys() | row.requests.keys() if real.get(one) != row.requests.get(one)
    ]
    return f"set {entry['id']} differs in {len(differing)} requests" if differing else None
