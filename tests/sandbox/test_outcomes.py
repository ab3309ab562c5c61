from __future__ import annotations

from typing import Any

import pytest

from receiver.graph.serve import BadParameter
from receiver.sandbox.outcomes import Outcome, normalise_spec, outcome_of, scope_object_id


def test_a_spec_with_an_ad_set_becomes_an_ad() -> None:
    assert outcome_of({"name": "a", "adset_id": 5}) == Outcome()


def test_the_same_failing_name_fails_the_same_way() -> None:
    outcomes = [outcome_of({"name": f"fail {i}", "adset_id": "5"}) for i in range(50)]
    assert outcomes == [outcome_of({"name": f"fail {i}", "adset_id": "5"}) for i in range(50)]
    assert {outcome.error_code for outcome in outcomes} >= {100, 1487390, 2}


@pytest.mark.parametrize("ad_set", [None, "", "x", 5.5, True, ["5"], "9" * 30])
def test_a_spec_without_a_usable_ad_set_fails(ad_set: Any) -> None:
    assert outcome_of({"name": "a", "adset_id": ad_set}).error_code == 100


def test_the_scope_is_the_ad_set_or_else_the_campaign() -> None:
    assert scope_object_id({"adset_id": 5, "campaign_id": "6"}) == "5"
    assert scope_object_id({"campaign_id": "6"}) == "6"
    assert scope_object_id({}) is None


def test_ids_in_a_spec_become_strings() -> None:
    spec = {"adset_id": 5, "creative": {"creative_id": 7, "count": 1}, "list": [{"page_id": 8}]}
    assert normalise_spec(spec) == {
        "adset_id": "5",
        "creative": {"creative_id": "7", "count": 1},
        "list": [{"page_id": "8"}],
    }


def test_a_bottomless_spec_is_refused() -> None:
    spec: Any = {}
    for _ in range(100):
        spec = [spec]
    with pytest.raises(BadParameter):
        normalise_spec({"deep": spec})
