"""How SQL and what Facebook lists of an account differ (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from receiver.graph.wire import SetReading, read_time
from receiver.store.intents import COLLECTED, REJECTED, Attempt

Kind = Literal["not_here", "not_there", "unresolved", "count", "doubled", "twins"]

_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be, in words for people."""

    kind: Kind
    request_set_id: int | None
    facebook_ids: tuple[int, ...]
    detail: str


@dataclass(frozen=True)
class Stored:
    """An intent as SQL has it."""

    id: int
    facebook_id: int | None
    state: str
    spec_count: int
    total_count: int | None
    twin_of: int | None = None


@dataclass(frozen=True)
class Listed:
    """What Facebook lists: every set by its id, and the attempts that those of ours name."""

    sets: Mapping[int, SetReading]
    named: Mapping[int, Attempt]
    is_whole: bool


def differences(
    stored: Sequence[Stored],
    listed: Listed,
    *,
    known: Mapping[int, int | None],
    since: datetime,
    until: datetime,
) -> list[Difference]:
    """Compare the intents of a time range with a list.

    ``known`` are Facebook's ids of all intents that the list names, whatever their time.
    """
    return [
        *_not_here(listed, known, since=since, until=until),
        *_doubled(listed),
        *(found for one in stored for found in _of_stored(one, listed)),
        *_twins(stored),
    ]


def _not_here(
    listed: Listed, known: Mapping[int, int | None], *, since: datetime, until: datetime
) -> Iterator[Difference]:
    for facebook_id, attempt in listed.named.items():
        if not _is_between(listed.sets[facebook_id], since=since, until=until):
            continue
        intent = attempt.request_set_id
        if intent not in known:
            yield Difference(
                "not_here",
                None,
                (facebook_id,),
                f"Facebook has {facebook_id}, which names an intent {intent} that SQL lacks.",
            )
        elif known[intent] is None:
            yield Difference(
                "not_here",
                intent,
                (facebook_id,),
                f"Facebook has {facebook_id}, and the intent has not taken it.",
            )


def _is_between(reading: SetReading, *, since: datetime, until: datetime) -> bool:
    """Tell whether a set is of a time range; one whose time cannot be read may be."""
    made_at = read_time(reading.created_time)
    return made_at is None or since - _CLOCKS_DIFFER <= made_at < until + _CLOCKS_DIFFER


def _doubled(listed: Listed) -> Iterator[Difference]:
    by_intent: dict[int, list[int]] = {}
    for facebook_id, attempt in listed.named.items():
        by_intent.setdefault(attempt.request_set_id, []).append(facebook_id)
    for intent, ids in by_intent.items():
        if len(ids) > 1:
            named = ", ".join(map(str, sorted(ids)))
            detail = f"Facebook has {len(ids)} sets of it: {named}."
            yield Difference("doubled", intent, tuple(sorted(ids)), detail)


def _of_stored(one: Stored, listed: Listed) -> Iterator[Difference]:
    if one.facebook_id is None:
        if one.state != REJECTED:
            yield Difference("unresolved", one.id, (), f"It is {one.state}: no outcome is known.")
        return
    reading = listed.sets.get(one.facebook_id)
    if reading is None:
        if listed.is_whole:
            detail = f"It is {one.state}, and Facebook does not list {one.facebook_id}."
            yield Difference("not_there", one.id, (one.facebook_id,), detail)
        return
    counts = {one.spec_count, reading.total_count}
    if one.state == COLLECTED:
        counts.add(one.total_count)
    counts.discard(None)
    if len(counts) > 1:
        detail = (
            f"{one.spec_count} were asked for, SQL counts {_shown(one.total_count)}, Facebook "
            f"{_shown(reading.total_count)}."
        )
        yield Difference("count", one.id, (one.facebook_id,), detail)


def _shown(count: int | None) -> str:
    return "none yet" if count is None else str(count)


def _twins(stored: Collection[Stored]) -> Iterator[Difference]:
    by_id = {one.id: one for one in stored}
    for one in stored:
        twin = None if one.twin_of is None else by_id.get(one.twin_of)
        if twin is not None and one.facebook_id is not None and twin.facebook_id is not None:
            yield Difference(
                "twins",
                one.id,
                (twin.facebook_id, one.facebook_id),
                f"It asks for the same as {twin.id}, whose outcome was not known then.",
            )
