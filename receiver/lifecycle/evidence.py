"""What an account's edge proves of a submission whose outcome nobody wrote (pure).

Presence decides at once: a set whose ``notification_uri`` carries a token of ours is the set that
the token names. Tokens are parsed out of what Facebook shows, never recomputed, because host and
signing key may have changed. Absence has to be proved, and where anything is left open the answer
is *not yet*: a create is never repeated because it seems to be lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from receiver.crypto import Keys
from receiver.graph.vocabulary import MODE_OFF, notification_mode
from receiver.graph.wire import SetReading, read_time
from receiver.store.intents import Attempt

_WINDOW_MARGIN = timedelta(hours=1)
"""How much earlier than a submission its set may seem to be made: clocks differ."""

NEVER_TWICE = "It is looked for again, and sent again only once it is proved to be absent."


@dataclass(frozen=True)
class Wanted:
    """A submission whose set is looked for.

    ``written_at``: when it was written, on our clock. ``settles_from``: Facebook's time when it was
    first asked for the set after its sender was gone. ``is_notified``: a notification of it came.
    ``later``: the submissions of its account that were sent after it. ``has_uri``: its create tells
    Facebook our ``notification_uri``; otherwise the tag in its name is all that tells.
    """

    attempt: Attempt
    spec_count: int
    written_at: datetime
    settles_from: datetime | None = None
    is_notified: bool = False
    later: Collection[Attempt] = frozenset()
    has_uri: bool = True


@dataclass(frozen=True)
class Found:
    """Facebook has these sets of the intent: more than one is a doubled create."""

    sets: dict[int, Attempt]


@dataclass(frozen=True)
class Contradicted:
    """Something speaks for the set and something against it: a person has to look."""

    reason: str


@dataclass(frozen=True)
class Absent:
    """Facebook has nothing of the submission, and cannot get it any more."""


@dataclass(frozen=True)
class NotYet:
    """Neither is proved."""

    reason: str


Finding = Found | Contradicted | Absent | NotYet


@dataclass
class Sweep:
    """What a reading of the edge has shown so far, page by page.

    ``date`` is Facebook's time of the first page. ``is_whole``: the last page was reached.
    ``unreadable`` counts what could not be read at all.
    """

    date: datetime | None = None
    is_whole: bool = False
    rows: int = 0
    unreadable: int = 0
    by_token: dict[int, dict[int, Attempt]] = field(default_factory=lambda: defaultdict(dict))
    by_tag: dict[int, list[tuple[SetReading, Attempt]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    without_uri: list[SetReading] = field(default_factory=list)
    without_name: list[SetReading] = field(default_factory=list)

    def add(self, keys: Keys, readings: Iterable[SetReading]) -> set[int]:
        """Take in the sets of a page; return the intents that tokens on it name."""
        named = set()
        for reading in readings:
            self.rows += 1
            attempt = attempt_in_uri(keys, reading)
            if attempt is not None:
                self.by_token[attempt.request_set_id][reading.id] = attempt
                named.add(attempt.request_set_id)
            else:
                self._add_without_token(keys, reading)
        return named

    def _add_without_token(self, keys: Keys, reading: SetReading) -> None:
        tagged = attempt_in_name(keys, reading)
        if tagged is not None:
            self.by_tag[tagged.request_set_id].append((reading, tagged))
            return
        # One without mode never had a URI to show, and ours always has a mode.
        if reading.notification_uri is None and not _is_off(reading):
            self.without_uri.append(reading)
        if not reading.name:
            self.without_name.append(reading)

    def sets_of(self, request_set_id: int) -> dict[int, Attempt]:
        """Return every set that names an intent, by its token or, without a URI, by its tag."""
        tagged = self.by_tag.get(request_set_id, [])
        unseen = {each.id: attempt for each, attempt in tagged if each.notification_uri is None}
        return {**unseen, **self.by_token.get(request_set_id, {})}

    @property
    def tokens(self) -> set[Attempt]:
        """The attempts that tokens name."""
        return {attempt for sets in self.by_token.values() for attempt in sets.values()}

    @property
    def tags(self) -> set[Attempt]:
        """The attempts that tags name, of sets without a token of ours."""
        return {attempt for sets in self.by_tag.values() for _, attempt in sets}


def _is_off(reading: SetReading) -> bool:
    return notification_mode(reading.notification_mode) == MODE_OFF


def attempt_in_uri(keys: Keys, reading: SetReading) -> Attempt | None:
    """Return what the token in a set's URI names; None for a set that carries none of ours."""
    token = keys.token_in_uri(reading.notification_uri or "")
    return None if token is None else Attempt(token.intent, number=token.attempt)


def attempt_in_name(keys: Keys, reading: SetReading) -> Attempt | None:
    """Return what the tag at the end of a set's name names; None for one without a tag of ours."""
    tag = keys.parse_tag(reading.name or "")
    return None if tag is None else Attempt(tag.intent, number=tag.attempt)


def attempt_named(keys: Keys, reading: SetReading) -> Attempt | None:
    """Return what a set names: by its token or, where it shows no URI, by its tag."""
    attempt = attempt_in_uri(keys, reading)
    if attempt is None and reading.notification_uri is None:
        return attempt_in_name(keys, reading)
    return attempt


def judge(sweep: Sweep, wanted: Wanted, *, settle_seconds: float, needs_witness: bool) -> Finding:
    """Say what a sweep proves of a submission."""
    sets = sweep.by_token.get(wanted.attempt.request_set_id)
    if sets:
        return Found(dict(sets))
    tagged = sweep.by_tag.get(wanted.attempt.request_set_id)
    if tagged:
        return _judge_tags(tagged, wanted)
    open_question = _what_is_open(
        sweep, wanted, settle_seconds=settle_seconds, needs_witness=needs_witness
    )
    return Absent() if open_question is None else NotYet(open_question)


def _judge_tags(tagged: list[tuple[SetReading, Attempt]], wanted: Wanted) -> Finding:
    """Judge by the tag alone: it may have been copied with a name, so the count has to agree."""
    alike = [
        (each, attempt) for each, attempt in tagged if each.total_count in (None, wanted.spec_count)
    ]
    unseen = {each.id: attempt for each, attempt in alike if each.notification_uri is None}
    if unseen:
        return Found(unseen)
    if any(each.total_count == wanted.spec_count for each, _ in alike):
        ids = ", ".join(str(each.id) for each, _ in alike)
        return Contradicted(
            f"Facebook shows a set with this create's name and count, and another "
            f"notification_uri: {ids}."
        )
    return NotYet(f"Facebook shows another set that bears this create's tag. {NEVER_TWICE}")


def _what_is_open(  # noqa: PLR0911  # one return for each condition of the proof
    sweep: Sweep, wanted: Wanted, *, settle_seconds: float, needs_witness: bool
) -> str | None:
    """Say which condition of absence is not met (the promises, 2); None when all are."""
    if not sweep.is_whole:
        return (
            f"Sent, and not among the first {sweep.rows} sets that Facebook shows of the account; "
            f"it has more. {NEVER_TWICE}"
        )
    if wanted.is_notified:
        return f"A notification of it came, and Facebook does not list it. {NEVER_TWICE}"
    if not _is_settled(sweep, wanted, settle_seconds=settle_seconds):
        return f"Sent, and Facebook has not shown the set yet. {NEVER_TWICE}"
    if sweep.unreadable:
        return f"{sweep.unreadable} sets that Facebook lists cannot be read. {NEVER_TWICE}"
    mute = _in_window(sweep.without_uri if wanted.has_uri else sweep.without_name, wanted)
    if mute:
        what = "notification_uri" if wanted.has_uri else "name"
        return f"{mute} sets of that time show no {what}: each may be this one. {NEVER_TWICE}"
    if needs_witness and not _has_witness(sweep, wanted):
        return (
            "Facebook lists no set of ours that was sent later, so its list may be old. "
            f"{NEVER_TWICE}"
        )
    return None


def _is_settled(sweep: Sweep, wanted: Wanted, *, settle_seconds: float) -> bool:
    """Tell whether long enough has passed since the sender was gone, in Facebook's own time."""
    if sweep.date is None or wanted.settles_from is None:
        return False
    return sweep.date - wanted.settles_from >= timedelta(seconds=settle_seconds)


def _in_window(readings: list[SetReading], wanted: Wanted) -> int:
    """Count those that may have been made by the submission, by their time."""
    return sum(may_be_made_since(each, wanted.written_at) for each in readings)


def may_be_made_since(reading: SetReading, written_at: datetime) -> bool:
    """Tell whether a set may be that of a submission, by the time that it shows, if it does."""
    moment = read_time(reading.created_time)
    return moment is None or moment >= written_at - _WINDOW_MARGIN


def _has_witness(sweep: Sweep, wanted: Wanted) -> bool:
    """Tell whether the edge shows a set of ours that was sent later: so fresh it is."""
    shown = sweep.tokens if wanted.has_uri else sweep.tokens | sweep.tags
    return not shown.isdisjoint(wanted.later)
