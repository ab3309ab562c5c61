from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.crypto import Keys
from receiver.lifecycle.evidence import (
    Absent,
    Contradicted,
    Finding,
    Found,
    NotYet,
    Sweep,
    Wanted,
    judge,
)
from receiver.store.intents import Attempt
from tests.support.house import SECRET_KEY
from tests.support.rows import NOW, at, set_reading

KEYS = Keys([SECRET_KEY])
OURS, LATER = Attempt(5, number=1), Attempt(6, number=1)
SETTLE_SECONDS = 900


def token(attempt: Attempt = OURS) -> str:
    return KEYS.sign_token(intent=attempt.request_set_id, attempt=attempt.number)


def uri(attempt: Attempt = OURS) -> str:
    return f"https://receiver.example/notifications/{token(attempt)}"


def wanted(**changes: Any) -> Wanted:
    """A submission of which everything but the edge speaks for absence."""
    proof = Wanted(OURS, spec_count=2, written_at=NOW, settles_from=at(100), later={LATER})
    return replace(proof, **changes)


def sweep_of(*readings: Any, **changes: Any) -> Sweep:
    sweep = Sweep(date=at(100 + SETTLE_SECONDS), is_whole=True, **changes)
    sweep.add(KEYS, readings)
    return sweep


def judged(sweep: Sweep, intent: Wanted | None = None, *, needs_witness: bool = True) -> Finding:
    return judge(
        sweep,
        intent or wanted(),
        settle_seconds=SETTLE_SECONDS,
        needs_witness=needs_witness,
    )


WITNESS = set_reading(id=60, notification_uri=uri(LATER), name="later")


def test_absence_is_proved_when_every_condition_holds() -> None:
    assert judged(sweep_of(WITNESS)) == Absent()


@pytest.mark.parametrize(
    ("sweep", "intent", "reason"),
    [
        (replace(sweep_of(WITNESS), is_whole=False), wanted(), "it has more"),
        (sweep_of(WITNESS, unreadable=1), wanted(), "cannot be read"),
        (replace(sweep_of(WITNESS), date=None), wanted(), "has not shown the set yet"),
        (replace(sweep_of(WITNESS), date=at(999)), wanted(), "has not shown the set yet"),
        (sweep_of(WITNESS), wanted(settles_from=None), "has not shown the set yet"),
        (sweep_of(WITNESS), wanted(is_notified=True), "A notification of it came"),
        (sweep_of(), wanted(), "no set of ours that was sent later"),
        (sweep_of(WITNESS), wanted(later=set()), "no set of ours that was sent later"),
        (sweep_of(WITNESS, set_reading(id=9)), wanted(), "1 sets of that time show no"),
    ],
)
def test_one_condition_that_fails_leaves_it_open(sweep: Sweep, intent: Wanted, reason: str) -> None:
    finding = judged(sweep, intent)
    assert isinstance(finding, NotYet)
    assert reason in finding.reason


def test_a_witness_may_be_done_without_where_that_is_allowed() -> None:
    assert judged(sweep_of(), needs_witness=False) == Absent()


def test_a_set_without_uri_hides_nothing_where_it_is_too_old_or_notifies_nobody() -> None:
    old = set_reading(id=9, created_time="2020-01-01T00:00:00+0000")
    silent = set_reading(id=10, notification_mode="OFF")
    assert judged(sweep_of(WITNESS, old, silent)) == Absent()


def test_a_set_whose_time_cannot_be_read_may_be_of_that_time() -> None:
    assert isinstance(
        judged(sweep_of(WITNESS, set_reading(id=9, created_time="yesterday"))), NotYet
    )


def test_a_witness_by_its_name_only_is_none_where_uris_are_what_counts() -> None:
    named = set_reading(id=60, name=f"later{KEYS.tag(token(LATER))}", notification_mode="OFF")
    assert isinstance(judged(sweep_of(named)), NotYet)
    assert judged(sweep_of(named), wanted(has_uri=False)) == Absent()


def test_a_batch_without_a_name_may_be_ours_and_one_without_uri_not() -> None:
    named = set_reading(id=60, name=f"later{KEYS.tag(token(LATER))}")
    assert judged(sweep_of(named, set_reading(id=9, name="x")), wanted(has_uri=False)) == Absent()
    finding = judged(sweep_of(named, set_reading(id=9, name=None)), wanted(has_uri=False))
    assert isinstance(finding, NotYet)


def test_all_sets_that_carry_the_token_are_found() -> None:
    second = Attempt(5, number=2)
    both = sweep_of(
        set_reading(id=8, notification_uri=uri()), set_reading(id=9, notification_uri=uri(second))
    )
    assert judged(both) == Found({8: OURS, 9: second})


def test_the_tag_finds_a_set_without_uri_where_the_count_agrees() -> None:
    tagged = set_reading(id=8, name=f"ours{KEYS.tag(token())}", total_count=2)
    assert judged(sweep_of(tagged)) == Found({8: OURS})
    assert isinstance(judged(sweep_of(replace(tagged, total_count=3), WITNESS)), NotYet)


def test_the_right_tag_and_count_with_another_uri_contradict_each_other() -> None:
    copied = set_reading(
        id=8, name=f"ours{KEYS.tag(token())}", total_count=2, notification_uri="https://elsewhere"
    )
    assert isinstance(judged(sweep_of(copied, WITNESS)), Contradicted)
    assert isinstance(judged(sweep_of(replace(copied, total_count=None), WITNESS)), NotYet)


@st.composite
def readings(draw: st.DrawFn) -> Any:
    """A set of somebody's, with whatever Facebook shows or hides of it."""
    return set_reading(
        id=draw(st.integers(100, 10**6)),
        name=draw(st.sampled_from([None, "theirs", "theirs [rcv:5.1.AAAAAAAA]"])),
        notification_uri=draw(st.sampled_from([None, "https://elsewhere", uri(LATER)])),
        notification_mode=draw(st.sampled_from([None, "OFF", "ON_COMPLETE"])),
        total_count=draw(st.sampled_from([None, 2, 7])),
        created_time=draw(st.sampled_from([None, "2020-01-01T00:00:00+0000", "x"])),
    )


@given(st.lists(readings(), max_size=12), st.integers(0, 12), st.sampled_from(["uri", "tag"]))
def test_whatever_else_is_listed_a_set_that_shows_itself_is_never_absent(
    others: list[Any], position: int, how: str
) -> None:
    ours = (
        set_reading(id=8, notification_uri=uri())
        if how == "uri"
        else set_reading(id=8, name=f"ours{KEYS.tag(token())}", total_count=2)
    )
    others.insert(min(position, len(others)), ours)
    assert judged(sweep_of(*others)) == Found({8: OURS})


@given(st.lists(readings(), max_size=12))
def test_a_hidden_uri_in_the_window_is_never_taken_for_absence(others: list[Any]) -> None:
    hidden = set_reading(id=8, name="renamed", created_time=None, notification_mode="ON_COMPLETE")
    assert isinstance(judged(sweep_of(*others, hidden)), NotYet)
