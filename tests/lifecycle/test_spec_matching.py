from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle.spec_matching import match

SPECS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "adset_id": st.sampled_from([5, 6, "7"])},
    optional={
        "bid": st.integers(0, 2),
        "creative": st.fixed_dictionaries({"id": st.integers(0, 1)}),
        # What is empty says nothing: nobody can tell it from what is not there.
        "tags": st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2),
        "on": st.booleans(),
    },
)


def normalised(value: Any) -> Any:
    """A value as Facebook shows it: numbers as texts."""
    if isinstance(value, dict):
        return {key: normalised(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def shown(spec: dict[str, Any]) -> bytes:
    """A request's input, with what Facebook adds."""
    added = {**normalised(spec), "added_by_facebook": {"status": "PAUSED"}}
    return json.dumps({"account_id": 1, "adgroup_spec": added}).encode()


@given(specs=st.lists(SPECS, min_size=1, max_size=8), data=st.data())
def test_every_request_is_matched_with_a_spec_that_says_the_same(
    specs: list[dict[str, Any]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(specs))))
    inputs: dict[int, bytes | None] = {
        100 + place: shown(specs[index]) for place, index in enumerate(order)
    }

    matched = match(specs, inputs)

    assert sorted(matched.values()) == list(range(len(specs)))
    for place, index in enumerate(order):
        assert normalised(specs[matched[100 + place]]) == normalised(specs[index])


def test_equal_specs_are_taken_in_order() -> None:
    spec = {"name": "same"}

    assert match([spec, spec], {7: shown(spec), 8: shown(spec)}) == {7: 0, 8: 1}


def test_the_spec_that_says_most_is_the_requests_own() -> None:
    short, long = {"name": "a"}, {"name": "a", "bid": 1}

    assert match([short, long], {1: shown(long), 2: shown(short)}) == {1: 1, 2: 0}


def test_an_input_that_is_the_spec_itself_is_taken_too() -> None:
    assert match([{"name": "a"}], {1: b'{"name": "a", "status": "PAUSED"}'}) == {1: 0}


def test_what_does_not_show_its_spec_has_none() -> None:
    inputs = {1: None, 2: b'"text"', 3: b'{"name": "other"}', 4: b'{"name": "a", "bid": "2"}'}

    assert match([{"name": "a", "bid": 1}], inputs) == {}
