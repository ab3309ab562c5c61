from __future__ import annotations

from typing import Any

import pytest

from receiver.lifecycle.differences import Difference, Listed, Stored, differences
from receiver.store.intents import Attempt
from tests.support.rows import NOW, at, set_reading


def listed(*readings: Any, named: dict[int, int] | None = None, is_whole: bool = True) -> Listed:
    """A list, of which ``named`` says whose the sets are: intents by Facebook's ids."""
    attempts = {one: Attempt(intent, number=1) for one, intent in (named or {}).items()}
    return Listed({each.id: each for each in readings}, named=attempts, is_whole=is_whole)


def found(
    stored: list[Stored], there: Listed, known: dict[int, int | None] | None = None
) -> list[Difference]:
    return differences(stored, there, known=known or {}, since=NOW, until=at(3600))


def stored(**values: Any) -> Stored:
    fields = {"id": 1, "facebook_id": 8, "state": "collected", "spec_count": 2, "total_count": 2}
    return Stored(**{**fields, **values})


SET = set_reading(id=8, total_count=2)


def test_what_agrees_does_not_differ() -> None:
    assert found([stored()], listed(SET, named={8: 1}), {1: 8}) == []


@pytest.mark.parametrize(
    ("one", "there", "known", "kind", "text"),
    [
        (None, listed(SET, named={8: 5}), {}, "not_here", "intent 5 that SQL lacks"),
        (None, listed(SET, named={8: 5}), {5: None}, "not_here", "has not taken it"),
        (stored(), listed(), {}, "not_there", "does not list 8"),
        (stored(facebook_id=None, state="unknown"), listed(), {}, "unresolved", "no outcome"),
        (
            stored(),
            listed(set_reading(id=8, total_count=3), named={8: 1}),
            {1: 8},
            "count",
            "2 were asked for, SQL counts 2, Facebook 3",
        ),
        (
            stored(total_count=1),
            listed(SET, named={8: 1}),
            {1: 8},
            "count",
            "2 were asked for, SQL counts 1, Facebook 2",
        ),
        (
            None,
            listed(SET, set_reading(id=9), named={8: 1, 9: 1}),
            {1: 8},
            "doubled",
            "has 2 sets of it: 8, 9",
        ),
    ],
)
def test_every_kind_of_difference_is_told(
    one: Stored | None, there: Listed, known: dict[int, int | None], kind: str, text: str
) -> None:
    (difference,) = found([one] if one else [], there, known)
    assert difference.kind == kind
    assert text in difference.detail


def test_a_rejected_intent_without_a_set_is_as_it_should_be() -> None:
    assert found([stored(facebook_id=None, state="rejected")], listed()) == []


def test_what_is_missing_from_a_list_that_was_not_read_whole_may_stand_on_its_rest() -> None:
    assert found([stored()], listed(is_whole=False)) == []


def test_counts_of_a_set_at_work_are_not_final() -> None:
    working = stored(state="open", total_count=None)
    assert found([working], listed(SET, named={8: 1}), {1: 8}) == []


def test_a_set_of_another_time_is_not_of_this_comparison() -> None:
    old = set_reading(id=8, created_time="2020-01-01T00:00:00+0000")
    assert found([], listed(old, named={8: 5})) == []
    unreadable = set_reading(id=8, created_time="then")
    assert [each.kind for each in found([], listed(unreadable, named={8: 5}))] == ["not_here"]


def test_twins_are_told_where_both_exist() -> None:
    both = listed(SET, set_reading(id=9, total_count=2))
    twin = stored(id=2, facebook_id=9, twin_of=1)
    assert [each.kind for each in found([stored(), twin], both)] == ["twins"]
    lost = stored(facebook_id=None, state="rejected")
    assert found([lost, twin], both) == []
