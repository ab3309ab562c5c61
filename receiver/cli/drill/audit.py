"""Hold what the sandbox really has against SQL, row by row (pure).

It knows nothing of the receiver's own code: not how it stores, and not how it decides.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"/notifications/[0-9a-f]{8}\.([0-9]+)\.([0-9]+)\.")
_TAG = re.compile(r" \[rcv:[^\]]*\]\Z")
_CLOSED = ("collected", "rejected")


@dataclass(frozen=True)
class SetRow:
    """A row of ``request_set``."""

    id: int
    facebook_id: int | None
    state: str
    name: str

    @property
    def is_closed(self) -> bool:
        return self.state in _CLOSED


@dataclass(frozen=True)
class Rows:
    """What SQL holds: sets, requests by their set, notifications counted by intent and attempt."""

    sets: Sequence[SetRow]
    requests: Mapping[int, Mapping[str, tuple[str, Any]]]
    notifications: Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class Heard:
    """What a caller was told of one create at last: the set's id, or None for no answer."""

    name: str
    facebook_id: str | None
    last_answer: str = ""


@dataclass
class Audit:
    """Sentences for everything that is not as it should be."""

    lost: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    sets: int = 0
    requests: int = 0
    notifications: int = 0

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.missing or self.doubled or self.stuck)


def audit(ledger: Iterable[Mapping[str, Any]], rows: Rows, heard: Sequence[Heard]) -> Audit:
    """Compare every set, every result and every notification, and what each caller was told."""
    entries = list(ledger)
    found = Audit(
        sets=len(entries),
        requests=sum(len(entry["requests"]) for entry in entries),
        notifications=sum(_answered(entry).total() for entry in entries),
    )
    found.lost += [*_lost_results(entries, rows), *_lost_notifications(entries, rows)]
    found.lost += _lost_answers(entries, heard)
    found.missing += [*_missing_sets(entries, rows), *_missing_intents(rows)]
    found.missing += _missing_creates(entries, heard)
    found.doubled += _doubled(entries)
    found.stuck += [f"intent {row.id} is stuck" for row in rows.sets if row.state == "stuck"]
    return found


def plain_name(name: str) -> str:
    """Return a set's name without the receiver's tag."""
    return _TAG.sub("", name)


def _lost_results(entries: Sequence[Mapping[str, Any]], rows: Rows) -> Iterator[str]:
    collected = {row.facebook_id: row.id for row in rows.sets if row.state == "collected"}
    for entry in entries:
        intent = collected.get(int(entry["id"]))
        if intent is None:
            continue
        real = {each["id"]: (each["status"], each["result"]) for each in entry["requests"]}
        kept = rows.requests.get(intent, {})
        differing = [one for one in real.keys() | kept.keys() if real.get(one) != kept.get(one)]
        if differing:
            yield f"set {entry['id']} differs in {len(differing)} results"


def _lost_notifications(entries: Sequence[Mapping[str, Any]], rows: Rows) -> Iterator[str]:
    answered: Counter[tuple[int, int]] = Counter()
    for entry in entries:
        answered += _answered(entry)
    for token, count in answered.items():
        kept = rows.notifications.get(token, 0)
        if kept < count:
            yield f"of {count} notifications of {token} that were answered 2xx {kept} are kept"


def _answered(entry: Mapping[str, Any]) -> Counter[tuple[int, int]]:
    """Count an entry's notifications that were answered 2xx, by intent and attempt."""
    tokens: Counter[tuple[int, int]] = Counter()
    for attempt in entry["notification_attempts"]:
        match = _TOKEN.search(attempt["uri"])
        if match and re.fullmatch("2[0-9]{2}", str(attempt["status"])):
            tokens[int(match[1]), int(match[2])] += 1
    return tokens


def _lost_answers(entries: Sequence[Mapping[str, Any]], heard: Sequence[Heard]) -> Iterator[str]:
    real = {entry["id"]: plain_name(entry["name"]) for entry in entries}
    for each in heard:
        if each.facebook_id is not None and real.get(each.facebook_id) != each.name:
            yield f"the caller of {each.name} was told of {each.facebook_id}, which is not its set"


def _missing_sets(entries: Sequence[Mapping[str, Any]], rows: Rows) -> Iterator[str]:
    states = {row.facebook_id: row.state for row in rows.sets}
    for entry in entries:
        state = states.get(int(entry["id"]))
        if state != "collected":
            yield f"set {entry['id']} is {state or 'not in SQL'}"


def _missing_intents(rows: Rows) -> Iterator[str]:
    for row in rows.sets:
        if not row.is_closed and row.facebook_id is None:
            yield f"intent {row.id} is {row.state}"


def _missing_creates(entries: Sequence[Mapping[str, Any]], heard: Sequence[Heard]) -> Iterator[str]:
    names = {plain_name(entry["name"]) for entry in entries}
    for each in heard:
        if each.facebook_id is None:
            yield f"{each.name} has no set in the end; its last answer: {each.last_answer}"
        elif each.name not in names:
            yield f"{each.name} was created, and Facebook has no such set"


def _doubled(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        by_name[plain_name(entry["name"])].append(entry["id"])
    for name, ids in by_name.items():
        if len(ids) > 1:
            yield f"{name} was created {len(ids)} times: {', '.join(ids)}"


def parse_result(data: bytes | str | None) -> Any:
    """Read a result as it stands in SQL."""
    return None if data is None else json.loads(data)
